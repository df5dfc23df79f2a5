// Label-linear: each class is interpolated linearly as a picture of zeros and ones, the largest wins, on a tie the lower.
// No such picture is ever made: nearly everywhere all eight neighbours are equal, and elsewhere eight weights suffice.
#include "resample3d.h"
#include "resample3d_oblique.h"

namespace medsegan::resample {
namespace {

// Weights of the second neighbour along each axis. Doubles, summed in one order: a tie stays a tie.
template <typename T>
T winner(const T (&label)[8], double z, double y, double x) {
  double weight[8];
  for (int corner = 0; corner < 8; ++corner) {
    weight[corner] = (corner & 4 ? z : 1 - z) * (corner & 2 ? y : 1 - y) * (corner & 1 ? x : 1 - x);
  }
  T best = label[0];
  double most = -1;
  for (int one = 0; one < 8; ++one) {
    double sum = 0;
    for (int other = 0; other < 8; ++other) sum += label[other] == label[one] ? weight[other] : 0.0;
    if (sum > most || (sum == most && label[one] < best)) {
      best = label[one];
      most = sum;
    }
  }
  return best;
}

template <typename T>
T sample(const T* first, int64_t dz, int64_t dy, int64_t dx, double z, double y, double x) {
  const T label[8] = {first[0],  first[dx],      first[dy],      first[dy + dx],
                      first[dz], first[dz + dx], first[dz + dy], first[dz + dy + dx]};
  bool same = true;
  for (int corner = 1; corner < 8; ++corner) same &= label[corner] == label[0];
  return same ? label[0] : winner(label, z, y, x);
}

template <typename T>
struct LabelKernel {
  const Job& job;

  void near(const Ray& ray, const Run& run, T* row) const {
    for (int64_t k = run.begin; k < run.end; ++k) {
      const Corner c(job, ray, k);
      row[k * job.target_stride[2]] = sample(static_cast<const T*>(job.source) + c.offset, c.next[0], c.next[1], c.next[2],
                                             c.rest[0], c.rest[1], c.rest[2]);
    }
  }
  void between(const Ray& ray, const Run& run, T* row) const {
    const int64_t *d = job.source_stride, stride = job.target_stride[2];
    for (int64_t k = run.begin; k < run.end; ++k) {
      const double z = ray.line[0](k), y = ray.line[1](k), x = ray.line[2](k);
      const int64_t iz = static_cast<int64_t>(z), iy = static_cast<int64_t>(y), ix = static_cast<int64_t>(x);
      row[k * stride] = sample(static_cast<const T*>(job.source) + iz * d[0] + iy * d[1] + ix * d[2], d[0], d[1], d[2],
                               z - static_cast<double>(iz), y - static_cast<double>(iy), x - static_cast<double>(ix));
    }
  }
};

// Aligned: whole rows are compared first, so that what lies inside of an organ costs one look.
template <typename T>
class AlignedLabels {
 public:
  explicit AlignedLabels(const Job& job)
      : job_(job), axes_{AxisTable(job, 0), AxisTable(job, 1), AxisTable(job, 2)}, tiles_{{job.m[0], job.m[1], job.m[2]}, {8, 32, job.m[2]}} {}

  void run() const {
    parallel_for(tiles_.count(), job_.threads, [&](int64_t index) {
      Run tile[3], box[3];
      tiles_.place(index, tile);
      for (int axis = 0; axis < 3; ++axis) box[axis] = meet(tile[axis], axes_[axis].inside);
      fill_around<T>(job_, tile, box);
      if (box[0].empty() || box[1].empty() || box[2].empty()) return;
      const bool is_dense = job_.target_stride[2] == 1;
      const int64_t length = box[2].end - box[2].begin;
      std::vector<T> values(is_dense ? 0 : (box[0].end - box[0].begin) * (box[1].end - box[1].begin) * length);
      std::vector<T> rows(4 * job_.n[2]);
      std::vector<uint8_t> same(job_.n[2]);
      T* next = values.data();
      for (int64_t i = box[0].begin; i < box[0].end; ++i) {
        for (int64_t j = box[1].begin; j < box[1].end; ++j) {
          T* target = static_cast<T*>(job_.target) + i * job_.target_stride[0] + j * job_.target_stride[1];
          sample_row(i, j, box[2], rows.data(), same.data(), is_dense ? target + box[2].begin : next);
          if (!is_dense) next += length;
        }
      }
      if (!is_dense) scatter(job_, box, values.data());
    });
  }

 private:
  const Job& job_;
  const AxisTable axes_[3];
  const Tiles tiles_;

  void sample_row(int64_t i, int64_t j, const Run& columns, T* rows, uint8_t* same, T* out) const {
    const int64_t dz = axes_[0].rest[i] > 0 ? job_.source_stride[0] : 0, dy = axes_[1].rest[j] > 0 ? job_.source_stride[1] : 0;
    const T* source = static_cast<const T*>(job_.source) + axes_[0].first[i] * job_.source_stride[0] +
                      axes_[1].first[j] * job_.source_stride[1];
    const int64_t n = job_.n[2], dx = job_.source_stride[2];
    const T* from[4] = {source, source + dy, source + dz, source + dz + dy};
    for (int r = 0; r < 4; ++r) {
      for (int64_t x = 0; x < n; ++x) rows[r * n + x] = from[r][x * dx];
    }
    const T *a = rows, *b = rows + n, *c = rows + 2 * n, *d = rows + 3 * n;
#pragma omp simd
    for (int64_t x = 0; x < n; ++x) same[x] = (a[x] == b[x]) & (a[x] == c[x]) & (a[x] == d[x]);
    for (int64_t k = columns.begin; k < columns.end; ++k) {
      const double rest = axes_[2].rest[k];
      const int64_t x = axes_[2].first[k], next = x + (rest > 0);
      if (same[x] && same[next] && a[x] == a[next]) {
        out[k - columns.begin] = a[x];
      } else {
        const T label[8] = {a[x], a[next], b[x], b[next], c[x], c[next], d[x], d[next]};
        out[k - columns.begin] = winner(label, axes_[0].rest[i], axes_[1].rest[j], rest);
      }
    }
  }
};

}  // namespace

void sample_labels_aligned(const Job& job, Type type) {
  with_label_type(type, [&](auto value) { AlignedLabels<decltype(value)>(job).run(); });
}

void sample_labels_oblique(const Job& job, Type type) {
  with_label_type(type, [&](auto value) {
    using T = decltype(value);
    for_each_row<T>(job, LabelKernel<T>{job});
  });
}

}  // namespace medsegan::resample
