// Matrix products of float32 on one thread: C = A B, where A and B may be read with any strides and C lies row by row.
// A tile of C stays in registers while a panel of B, packed so that it is read in order, goes by (Goto and van de Geijn
// 2008, "Anatomy of High-Performance Matrix Multiplication").
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

// A packed panel of B: so deep, and so many columns in all that it stays in the cache.
constexpr int64_t DEPTH = 256, COLUMNS = 512;

// A processor's vectors of so many bytes, and how many rows of a tile, two vectors wide, fit into its registers.
template <int BYTES, int ROWS> struct Registers {
  typedef float Vector __attribute__((vector_size(BYTES), aligned(4), may_alias));
  static constexpr int64_t lanes = BYTES / 4, width = 2 * lanes, rows = ROWS;
};

// ROWS x (NV vectors) of C; A is read where it lies.
template <typename R, int ROWS, int NV> INLINE void tile(const Matrix& a, const float* b, int64_t depth, float* c, int64_t ldc, int64_t columns, bool add) {
  using V = typename R::Vector;
  V sum[ROWS][NV];
  const float* rows[ROWS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    rows[i] = a.from(i, 0);
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) sum[i][v] = V{};
  }
  for (int64_t k = 0; k < depth; k++) {
    V right[NV];
#pragma GCC unroll 2
    for (int v = 0; v < NV; v++) right[v] = *reinterpret_cast<const V*>(b + (k * NV + v) * R::lanes);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) sum[i][v] += rows[i][k * a.column] * right[v];
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

template <typename R, int ROWS> INLINE void tileOf(int64_t rows, const Matrix& a, const float* b, int64_t depth, float* c, int64_t ldc, int64_t columns, bool add) {
  if constexpr (ROWS <= R::rows) {
    if (rows != ROWS) return tileOf<R, ROWS + 1>(rows, a, b, depth, c, ldc, columns, add);
    if (columns <= R::lanes) tile<R, ROWS, 1>(a, b, depth, c, ldc, columns, add);
    else tile<R, ROWS, 2>(a, b, depth, c, ldc, columns, add);
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
INLINE void pack(const Matrix& b, int64_t depth, int64_t columns, int64_t width, float* to) {
  const bool standing = b.row == 1;
  const int64_t j4 = standing ? columns / 4 * 4 : 0, k4 = standing ? depth / 4 * 4 : 0;
  for (int64_t j = 0; j < j4; j += 4) for (int64_t k = 0; k < k4; k += 4) transposeFour(b.from(k, j), b.column, to + k * width + j, width);
  for (int64_t k = 0; k < depth; k++) {
    float* line = to + k * width;
    const float* from = b.from(k, 0);
    const int64_t done = k < k4 ? j4 : 0;
    if (b.column == 1) std::memcpy(line, from, columns * sizeof(float));
    else for (int64_t j = done; j < columns; j++) line[j] = from[j * b.column];
    for (int64_t j = columns; j < width; j++) line[j] = 0.0f;
  }
}

// Rows of a transposed A lie far apart, often where they push each other out of the cache: they are packed if so many strips read them.
constexpr int64_t OFTEN = 4;
template <typename R> INLINE Matrix packedLeft(const Matrix& a, int64_t rows, int64_t depth, float* to) {
  for (int64_t k = 0; k < depth; k++) std::memcpy(to + k * rows, a.from(0, k), rows * sizeof(float));
  return {to, 1, rows};
}

// C [m, n] = A [m, depth] B [depth, n], or is added to C.
template <typename R> INLINE void product(const Matrix& a, const Matrix& b, float* c, int64_t ldc, int64_t m, int64_t n, int64_t depth, bool add, std::vector<float>& packed) {
  const int64_t blocks = (m + R::rows - 1) / R::rows;
  packed.resize(std::max<size_t>(packed.size(), DEPTH * (COLUMNS + R::width + R::rows)));
  float* const room = packed.data() + DEPTH * (COLUMNS + R::width);
  const bool packs = a.row == 1 && a.column != 1 && n > OFTEN * R::width;
  for (int64_t begin = 0; begin < n; begin += COLUMNS) {
    const int64_t end = std::min(n, begin + COLUMNS);
    for (int64_t from = 0; from < depth; from += DEPTH) {
      const int64_t deep = std::min(DEPTH, depth - from);
      for (int64_t at = begin; at < end; at += R::width) {
        const int64_t columns = std::min(R::width, end - at);
        pack({b.from(from, at), b.row, b.column}, deep, columns, columns <= R::lanes ? R::lanes : R::width, packed.data() + (at - begin) * deep);
      }
      for (int64_t i = 0; i < blocks; i++) {
        // all blocks of a height, or one row less
        const int64_t row = m * i / blocks, rows = m * (i + 1) / blocks - row;
        const Matrix lying{a.from(row, from), a.row, a.column}, left = packs ? packedLeft<R>(lying, rows, deep, room) : lying;
        for (int64_t at = begin; at < end; at += R::width)
          tileOf<R, 1>(rows, left, packed.data() + (at - begin) * deep, deep, c + row * ldc + at, ldc, std::min(R::width, end - at), add || from > 0);
      }
    }
  }
}
