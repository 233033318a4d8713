// Matrix products on one thread: C = A B, where A and B may be read with any strides and C lies row by row. All three are of
// float32, or of bfloat16 (as uint16_t): then A and B become float32 as they are packed, and C is rounded once all is summed.
// A tile of C stays in registers while a strip of B in the first cache and rows of A in the second, both packed in the order
// in which they are read, go by (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication").
#pragma once
#include <emmintrin.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "arithmetic.h"
#include "processor.h"

// Element (i, j) is at[i * row + j * column].
template <typename T> struct MatrixOf {
  const T* at;
  int64_t row, column;
  INLINE const T* from(int64_t i, int64_t j) const { return at + i * row + j * column; }
};
using Matrix = MatrixOf<float>;
// Where rows go; in float32 what lies in `before` is added to them, if anything does.
template <typename T> struct Target {
  T* to;
  int64_t line;
  const float* before;
  int64_t lineBefore;
  INLINE Target from(int64_t i, int64_t j) const { return {to + i * line + j, line, before ? before + i * lineBefore + j : nullptr, lineBefore}; }
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
template <typename R, int ROWS, int NV, typename A, typename T> INLINE void tile(const A& a, const float* b, int64_t depth, const Target<T>& c, int64_t columns) {
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
  constexpr int64_t WIDTH = NV * R::lanes;
  if constexpr (std::is_same_v<T, float>) {
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const Target<T> row = c.from(i, 0);
      const bool whole = columns == WIDTH;
      float rest[WIDTH];
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) {
        const V* before = reinterpret_cast<const V*>(row.before + v * R::lanes);
        *reinterpret_cast<V*>((whole ? row.to : rest) + v * R::lanes) = whole && row.before ? *before + sum[i][v] : sum[i][v];
      }
      if (!whole) for (int64_t j = 0; j < columns; j++) row.to[j] = row.before ? row.before[j] + rest[j] : rest[j];
    }
  } else {
    float all[ROWS * WIDTH];
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
      for (int v = 0; v < NV; v++) *reinterpret_cast<V*>(all + i * WIDTH + v * R::lanes) = sum[i][v];
#pragma GCC unroll 1
    for (int i = 0; i < ROWS; i++) {
      const Target<T> row = c.from(i, 0);
      float* const line = all + i * WIDTH;
      if (row.before) for (int64_t j = 0; j < columns; j++) line[j] += row.before[j];
      storeRounded(row.to, line, columns);
    }
  }
}

// Each tile is a function of its own: a compiler takes minutes over one function with all of them.
using Wide = Registers<64, 14>;
using Middle = Registers<32, 6>;
#define COMPILED(TARGET, R) \
  template <int ROWS, int NV, typename A, typename T> TARGET __attribute__((noinline)) void compiledTile(R, const A& a, const float* b, int64_t depth, const Target<T>& c, int64_t columns) { \
    tile<R, ROWS, NV>(a, b, depth, c, columns); \
  }
COMPILED(AVX512, Wide)
COMPILED(AVX2, Middle)

template <typename R, template <int> typename A, int ROWS, typename T> INLINE void tileOf(int64_t rows, const Matrix& a, const float* b, int64_t depth, const Target<T>& c, int64_t columns) {
  if constexpr (ROWS <= R::rows) {
    if (rows != ROWS) return tileOf<R, A, ROWS + 1>(rows, a, b, depth, c, columns);
    if (columns <= R::lanes) compiledTile<ROWS, 1>(R{}, A<ROWS>(a), b, depth, c, columns);
    else compiledTile<ROWS, 2>(R{}, A<ROWS>(a), b, depth, c, columns);
  }
}

INLINE float inFull(float x) { return x; }
INLINE float inFull(uint16_t x) { return fromBfloat16(x); }
INLINE void copy(const float* from, int64_t n, float* to) { std::memcpy(to, from, n * sizeof(float)); }
INLINE void copy(const uint16_t* from, int64_t n, float* to) { for (int64_t i = 0; i < n; i++) to[i] = fromBfloat16(from[i]); }
INLINE __m128 four(const float* from) { return _mm_loadu_ps(from); }
INLINE __m128 four(const uint16_t* from) { return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)))); }

// Four columns of four numbers each, as four rows.
template <typename T> INLINE void transposeFour(const T* from, int64_t column, float* to, int64_t width) {
  __m128 a = four(from), b = four(from + column), c = four(from + 2 * column), d = four(from + 3 * column);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + width, b);
  _mm_storeu_ps(to + 2 * width, c);
  _mm_storeu_ps(to + 3 * width, d);
}

// A strip of B as [depth, width], zeros behind its columns.
template <int64_t WHOLE, typename T> INLINE void pack(const MatrixOf<T>& b, int64_t depth, int64_t columns, int64_t width, float* to) {
  const bool standing = b.row == 1;
  const int64_t j4 = standing ? columns / 4 * 4 : 0, k4 = standing ? depth / 4 * 4 : 0;
  // not the whole depth at once: what is written stays near
  for (int64_t from = 0; from < k4; from += 64)
    for (int64_t j = 0; j < j4; j += 4)
      for (int64_t k = from; k < std::min(k4, from + 64); k += 4) transposeFour(b.from(k, j), b.column, to + k * width + j, width);
  for (int64_t k = 0; k < depth; k++) {
    float* line = to + k * width;
    const T* from = b.from(k, 0);
    const int64_t done = k < k4 ? j4 : 0;
    if (b.column == 1 && columns == WHOLE) copy(from, WHOLE, line);
    else if (b.column == 1) copy(from, columns, line);
    else for (int64_t j = done; j < columns; j++) line[j] = inFull(from[j * b.column]);
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
template <typename R, bool PACKS, typename T, typename C> INLINE void panel(const MatrixOf<T>& a, const MatrixOf<T>& b, const Target<C>& c, int64_t m, int64_t n, int64_t depth, float* strip) {
  float* const left = strip + DEPTH * R::width;
  const Blocks rows(m, R::rows);
  if (PACKS) for (int64_t i = 0; i < rows.count; i++) pack<R::rows, T>({a.from(rows.from(i), 0), a.column, a.row}, depth, rows.size(i), rows.size(i), left + rows.from(i) * depth);
  for (int64_t at = 0; at < n; at += R::width) {
    const int64_t columns = std::min(R::width, n - at);
    pack<R::width, T>({b.from(0, at), b.row, b.column}, depth, columns, columns <= R::lanes ? R::lanes : R::width, strip);
    for (int64_t i = 0; i < rows.count; i++) {
      const Target<C> to = c.from(rows.from(i), at);
      if constexpr (PACKS) tileOf<R, Packed, 1>(rows.size(i), {left + rows.from(i) * depth, 0, 0}, strip, depth, to, columns);
      else tileOf<R, Lying, 1>(rows.size(i), {a.from(rows.from(i), 0), a.row, a.column}, strip, depth, to, columns);
    }
  }
}

// C [m, n] = A [m, depth] B [depth, n], or is added to C, which only one of float32 can be.
template <typename R, typename T> INLINE void product(const MatrixOf<T>& a, const MatrixOf<T>& b, T* c, int64_t ldc, int64_t m, int64_t n, int64_t depth, bool add, Packing& packing) {
  constexpr bool full = std::is_same_v<T, float>;
  const bool packs = !full || n >= OFTEN * R::width;
  const Blocks tops(m, HEIGHT), depths(depth, DEPTH);
  const int64_t most = std::min(m, HEIGHT), packed = DEPTH * (R::width + (packs ? most : 0));
  float* const room = packing.fit(packed + (full || depths.count == 1 ? 0 : most * n));
  for (int64_t t = 0; t < tops.count; t++)
    for (int64_t d = 0; d < depths.count; d++) {
      const MatrixOf<T> left{a.from(tops.from(t), depths.from(d)), a.row, a.column}, right{b.from(depths.from(d), 0), b.row, b.column};
      T* const top = c + tops.from(t) * ldc;
      if constexpr (full) {
        const Target<float> to{top, ldc, add || d > 0 ? top : nullptr, ldc};
        if (packs) panel<R, true>(left, right, to, tops.size(t), n, depths.size(d), room);
        else panel<R, false>(left, right, to, tops.size(t), n, depths.size(d), room);
      } else {
        float* const sums = room + packed;
        const float* const before = d > 0 ? sums : nullptr;
        if (d + 1 < depths.count) panel<R, true>(left, right, Target<float>{sums, n, before, n}, tops.size(t), n, depths.size(d), room);
        else panel<R, true>(left, right, Target<T>{top, ldc, before, n}, tops.size(t), n, depths.size(d), room);
      }
    }
}
