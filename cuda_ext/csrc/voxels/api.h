// The C interface of the voxel library: plain pointers and sizes, no torch and no Python.
//
// Every function returns nullptr, or a sentence that says why nothing was done. Arrays are contiguous, the last axis
// the fastest; the Python side brings any dense array into that form by permuting its axes.
#pragma once

#include <cstdint>

#define MEDSEGAN_API __attribute__((visibility("default")))
