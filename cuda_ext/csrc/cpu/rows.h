// Walks over a feature map in rows: runs of memory within one place or one channel.
//
// Contiguous: a row is one channel of a sample, at some places. Channels-last: a row is one place, all channels. Rows
// are dealt out in blocks of places of one sample; blocks depend on sizes alone, so that sums which are made block by
// block do not depend on the number of threads.
#pragma once

#include "../check.h"

#include <algorithm>
#include <optional>
#include <vector>

#ifdef __F16C__
#include <immintrin.h>
#endif

namespace medsegan {

struct Rows {
  static constexpr int64_t kBlock = 32768;               // values that are worth waking a thread
  static constexpr int64_t kShortest = 1024, kLongest = 4096;  // places: jumping from channel to channel is slow

  int64_t samples, channels, places, places_of_block, blocks_of_sample;
  bool last;  // the channels of a place lie side by side

  Rows(const Dense& x, int64_t samples_) : samples(samples_), channels(x.channels), last(x.inner == 1) {
    places = last ? (samples ? x.outer / samples : 0) : x.inner;
    const int64_t wanted = last ? kBlock / std::max<int64_t>(channels, 1)
                                : std::clamp(samples * places / 16, kShortest, kLongest);
    places_of_block = std::max<int64_t>(1, std::min(places, wanted));
    blocks_of_sample = (places + places_of_block - 1) / places_of_block;
  }

  int64_t blocks() const { return channels ? samples * blocks_of_sample : 0; }
};

// Some places of one sample, and the rows that they are made of.
struct Block {
  int64_t sample, place, places, rows, width;
  int64_t offset, stride;  // of row 0, and from row to row

  Block(const Rows& of, int64_t index) : sample(index / of.blocks_of_sample) {
    place = index % of.blocks_of_sample * of.places_of_block;
    places = std::min(of.places_of_block, of.places - place);
    rows = of.last ? places : of.channels;
    width = of.last ? of.channels : places;
    stride = of.last ? of.channels : of.places;
    offset = sample * of.channels * of.places + (of.last ? place * of.channels : place);
  }
};

// A stretch of a row, short enough for copies of it to stay in the first cache.
struct Piece {
  static constexpr int64_t kLongest = 1024;
  int64_t at, count, block;
  int64_t channel;                       // of the first value
  int64_t channel_of_all, place_of_all;  // of the first value, counted through all samples
};

// Calls work(piece) for every piece of a feature map, those of a block in order and on one thread. Each thread has a
// copy of `work` for itself, which may hold buffers.
template <bool kLast, typename F>
void over_pieces(const Rows& rows, const F& original) {
  const int64_t values = std::max<int64_t>(1, rows.channels * rows.places_of_block);
  const int64_t grain = std::max<int64_t>(1, Rows::kBlock / values);
  torch::stable::parallel_for(0, rows.blocks(), grain, [&](int64_t begin, int64_t end) {
    F work = original;
    for (int64_t index = begin; index < end; ++index) {
      const Block block(rows, index);
      for (int64_t r = 0; r < block.rows; ++r) {
        for (int64_t i = 0; i < block.width; i += Piece::kLongest) {
          const int64_t channel = kLast ? i : r, place = block.place + (kLast ? r : i);
          work(Piece{block.offset + r * block.stride + i, std::min(Piece::kLongest, block.width - i), index, channel,
                     block.sample * rows.channels + channel, block.sample * rows.places + place});
        }
      }
    }
  });
}

template <typename T>
void widen(const T* from, int64_t count, Accumulate<T>* to) {
  int64_t i = 0;
#ifdef __F16C__
  if constexpr (std::is_same_v<T, torch::headeronly::Half>) {
    for (; i + 8 <= count; i += 8) {
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
    }
  }
#endif
  for (; i < count; ++i) to[i] = static_cast<Accumulate<T>>(from[i]);
}

template <typename T>
void narrow(const Accumulate<T>* from, int64_t count, T* to) {
  int64_t i = 0;
#ifdef __F16C__
  if constexpr (std::is_same_v<T, torch::headeronly::Half>) {
    for (; i + 8 <= count; i += 8) {
      const __m128i bits = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), bits);
    }
  }
#endif
  for (; i < count; ++i) to[i] = static_cast<T>(from[i]);
}

// A piece of T as the values that are computed with: the piece itself, or a copy where T is only a way of storing.
template <typename T>
class Reader {
 public:
  using A = Accumulate<T>;

  const A* operator()(const T* values, const Piece& piece) {
    if constexpr (std::is_same_v<T, A>) {
      return values + piece.at;
    } else {
      widen(values + piece.at, piece.count, copy_);
      return copy_;
    }
  }

 private:
  A copy_[std::is_same_v<T, A> ? 1 : Piece::kLongest] = {};
};

// The other way: where to compute a piece, and then to store it.
template <typename T>
class Writer {
 public:
  using A = Accumulate<T>;

  A* begin(T* values, const Piece& piece) {
    if constexpr (std::is_same_v<T, A>) {
      return values + piece.at;
    } else {
      return copy_;
    }
  }

  void end(T* values, const Piece& piece) {
    if constexpr (!std::is_same_v<T, A>) narrow(copy_, piece.count, values + piece.at);
  }

 private:
  A copy_[std::is_same_v<T, A> ? 1 : Piece::kLongest] = {};
};

// What a thread needs to read up to three feature maps and to write one.
template <typename T>
struct Buffers {
  Reader<T> first, second, third;
  Writer<T> out;
};

// A small tensor (a bias, a scale) as the values that are computed with; zeros where there is none.
template <typename T>
std::vector<Accumulate<T>> wide_copy(const std::optional<Tensor>& dense, int64_t count) {
  std::vector<Accumulate<T>> values(count, 0);
  if (dense) widen(data<T>(*dense), count, values.data());
  return values;
}

// to[group, i] = sum of from[group, part, i] over the parts, in their order; rows of `width` lie `stride` apart.
template <typename T, typename A>
void sum_parts(const A* from, int64_t groups, int64_t parts, int64_t width, int64_t stride, T* to) {
  std::vector<double> total(width);
  for (int64_t group = 0; group < groups; ++group) {
    std::fill(total.begin(), total.end(), 0.0);
    for (int64_t part = 0; part < parts; ++part, from += stride) {
      for (int64_t i = 0; i < width; ++i) total[i] += from[i];
    }
    for (int64_t i = 0; i < width; ++i) to[group * width + i] = static_cast<T>(static_cast<A>(total[i]));
  }
}

}  // namespace medsegan
