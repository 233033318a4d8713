// Matrix products of float32 on one thread: C = A B, where A and B may be read with any strides and C lies row by row.
// A tile of C stays in registers while a strip of B in the first cache and rows of A in the second, both packed in the order
// in which they are read, go by (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication").
#pragma once
#include <xmmintrin.h>

#include <algorithm>
#include <vector>

#include "arithmetic.h"

// Element (i, j) is at[i * row + j * column].
struct Matrix {
  const float* at;
  int64_t row, column;
  INLINE const float* from(int64_t i, int64_t j) const { return at + i * row + j * column; }
};

// So many rows of A, so deep, stay in the second cache.
constexpr int64_t DEPTH = 384, HEIGHT = 512;
// Fewer strips of B than this are not worth packing A.
constexpr int64_t OFTEN = 16;

// A processor's vectors of so many bytes, and how many rows of a tile, two vectors wide, fit into its registers.
template <int BYTES, int ROWS> struct Registers {
  typedef float Vector __attribute__((vector_size(BYTES), aligned(4), may_alias));
  static constexpr int64_t lanes = BYTES / 4, width = 2 * lanes, rows = ROWS;
};

// ROWS rows of A where they lie; element (i, k).
template <int ROWS> struct Lying {
  const float* rows[ROWS];
  int64_t column;
  INLINE explicit Lying(const Matrix& a) : column(a.column) {
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) rows[i] = a.from(i, 0);
  }
  INLINE float at(int i, int64_t k) const { return rows[i][k * column]; }
};
// The same as they were packed, column by column.
template <int ROWS> struct Packed {
  const float* columns;
  INLINE explicit Packed(const Matrix& a) : columns(a.at) {}
  INLINE float at(int i, int64_t k) const { return columns[k * ROWS + i]; }
};

// ROWS x (NV vectors) of C.
template <typename R, int ROWS, int NV, typename A> INLINE void tile(const A& a, const float* b, int64_t depth, float* c, int64_t ldc, int64_t columns, bool add) {
  using V = typename R::Vector;
  V sum[ROWS][NV];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) sum[i][v] = V{};
  for (int64_t k = 0; k < depth; k++) {
    V right[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) right[v] = *reinterpret_cast<const V*>(b + (k * NV + v) * R::lanes);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) sum[i][v] += a.at(i, k) * right[v];
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    float* to = c + i * ldc;
    float rest[NV * R::lanes];
    const bool whole = columns == NV * R::lanes;
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) {
      V* at = reinterpret_cast<V*>((whole ? to : rest) + v * R::lanes);
      *at = whole && add ? *at + sum[i][v] : sum[i][v];
    }
    if (!whole) for (int64_t j = 0; j < columns; j++) to[j] = add ? to[j] + rest[j] : rest[j];
  }
}

template <typename R, template <int> typename A, int ROWS> INLINE void tileOf(int64_t rows, const Matrix& a, const float* b, int64_t depth, float* c, int64_t ldc, int64_t columns, bool add) {
  if constexpr (ROWS <= R::rows) {
    if (rows != ROWS) return tileOf<R, A, ROWS + 1>(rows, a, b, depth, c, ldc, columns, add);
    if (columns <= R::lanes) tile<R, ROWS, 1>(A<ROWS>(a), b, depth, c, ldc, columns, add);
    else tile<R, ROWS, 2>(A<ROWS>(a), b, depth, c, ldc, columns, add);
  }
}

// Four columns of four numbers each, as four rows.
INLINE void transposeFour(const float* from, int64_t column, float* to, int64_t width) {
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + column), c = _mm_loadu_ps(from + 2 * column), d = _mm_loadu_ps(from + 3 * column);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + width, b);
  _mm_storeu_ps(to + 2 * width, c);
  _mm_storeu_ps(to + 3 * width, d);
}

// A strip of B as [depth, width], zeros behind its columns.
template <int64_t WHOLE> INLINE void pack(const Matrix& b, int64_t depth, int64_t columns, int64_t width, float* to) {
  const bool standing = b.row == 1;
  const int64_t j4 = standing ? columns / 4 * 4 : 0, k4 = standing ? depth / 4 * 4 : 0;
  // not the whole depth at once: what is written stays near
  for (int64_t from = 0; from < k4; from += 64)
    for (int64_t j = 0; j < j4; j += 4)
      for (int64_t k = from; k < std::min(k4, from + 64); k += 4) transposeFour(b.from(k, j), b.column, to + k * width + j, width);
  for (int64_t k = 0; k < depth; k++) {
    float* line = to + k * width;
    const float* from = b.from(k, 0);
    const int64_t done = k < k4 ? j4 : 0;
    if (b.column == 1 && columns == WHOLE) std::memcpy(line, from, WHOLE * sizeof(float));
    else if (b.column == 1) std::memcpy(line, from, columns * sizeof(float));
    else for (int64_t j = done; j < columns; j++) line[j] = from[j * b.column];
    for (int64_t j = columns; j < width; j++) line[j] = 0.0f;
  }
}

// What a product packs into, from the start of a cache line.
class Packing {
  std::vector<float> all_;

 public:
  float* fit(int64_t size) {
    if (int64_t(all_.size()) < size + LANES) all_.resize(size + LANES);
    return all_.data() + (64 - reinterpret_cast<uintptr_t>(all_.data()) % 64) % 64 / sizeof(float);
  }
};

// A length in blocks of at most so much, all alike or one less.
struct Blocks {
  int64_t length, count;
  INLINE Blocks(int64_t length, int64_t most) : length(length), count((length + most - 1) / most) {}
  INLINE int64_t from(int64_t i) const { return length * i / count; }
  INLINE int64_t size(int64_t i) const { return from(i + 1) - from(i); }
};

// Some rows of C from some of the depth: all that is packed stays in the caches meanwhile.
template <typename R, bool PACKS> INLINE void panel(const Matrix& a, const Matrix& b, float* c, int64_t ldc, int64_t m, int64_t n, int64_t depth, bool add, float* strip) {
  float* const left = strip + DEPTH * R::width;
  const Blocks rows(m, R::rows);
  if (PACKS) for (int64_t i = 0; i < rows.count; i++) pack<R::rows>({a.from(rows.from(i), 0), a.column, a.row}, depth, rows.size(i), rows.size(i), left + rows.from(i) * depth);
  for (int64_t at = 0; at < n; at += R::width) {
    const int64_t columns = std::min(R::width, n - at);
    pack<R::width>({b.from(0, at), b.row, b.column}, depth, columns, columns <= R::lanes ? R::lanes : R::width, strip);
    for (int64_t i = 0; i < rows.count; i++) {
      float* const to = c + rows.from(i) * ldc + at;
      if (PACKS) tileOf<R, Packed, 1>(rows.size(i), {left + rows.from(i) * depth, 0, 0}, strip, depth, to, ldc, columns, add);
      else tileOf<R, Lying, 1>(rows.size(i), {a.from(rows.from(i), 0), a.row, a.column}, strip, depth, to, ldc, columns, add);
    }
  }
}

// C [m, n] = A [m, depth] B [depth, n], or is added to C.
template <typename R> INLINE void product(const Matrix& a, const Matrix& b, float* c, int64_t ldc, int64_t m, int64_t n, int64_t depth, bool add, Packing& packing) {
  const bool packs = n >= OFTEN * R::width;
  float* const room = packing.fit(DEPTH * (R::width + (packs ? std::min(m, HEIGHT) : 0)));
  const Blocks tops(m, HEIGHT), depths(depth, DEPTH);
  for (int64_t t = 0; t < tops.count; t++)
    for (int64_t d = 0; d < depths.count; d++) {
      const Matrix left{a.from(tops.from(t), depths.from(d)), a.row, a.column}, right{b.from(depths.from(d), 0), b.row, b.column};
      float* const to = c + tops.from(t) * ldc;
      if (packs) panel<R, true>(left, right, to, ldc, tops.size(t), n, depths.size(d), add || d > 0, room);
      else panel<R, false>(left, right, to, ldc, tops.size(t), n, depths.size(d), add || d > 0, room);
    }
}
