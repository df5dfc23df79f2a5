// Exact Euclidean distances on a box of voxels, for the C interface and for other operators of this library.
#pragma once

#include <cstdint>

namespace medsegan {

// Arrays are contiguous, the last axis the fastest; a 2D image has shape[0] = 1. Spacings are positive and in mm.
// Results do not depend on the number of threads. Axes are shorter than 2^31.

// distance[v]: from voxel v to the nearest voxel whose mask is 0, in mm; infinity where there is none in the box.
// index[v], if not null: flat index of that voxel, the smallest one of several as near; -1 where there is none.
void distance_transform(const uint8_t* mask, const int64_t shape[3], const double spacing[3], int threads,
                        float* distance, int64_t* index);

// squared[v]: squared distance from voxel v to the nearest voxel with features != 0, in mm^2; infinity without one.
void squared_distance_transform(const uint8_t* features, const int64_t shape[3], const double spacing[3], int threads,
                                double* squared);

}  // namespace medsegan
