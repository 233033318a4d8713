// Arithmetic on float32 that a compiler turns into vector instructions, whatever the processor's are.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#define INLINE inline __attribute__((always_inline))

// Columns are computed by so many at once; the last of a row may be computed in vain.
constexpr int64_t LANES = 16;
INLINE int64_t padded(int64_t n) { return (n + LANES - 1) / LANES * LANES; }
INLINE float bits(uint32_t u) { float f; std::memcpy(&f, &u, 4); return f; }
INLINE uint32_t bitsOf(float f) { uint32_t u; std::memcpy(&u, &f, 4); return u; }

// to nearest, ties to even; a NaN stays one
INLINE uint16_t toBfloat16(float f) {
  const uint32_t u = bitsOf(f), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return (u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded;
}
INLINE float fromBfloat16(uint16_t h) { return bits(uint32_t(h) << 16); }
// Whole lanes are read.
INLINE void storeRounded(uint16_t* to, const float* from, int64_t n) {
  const int64_t whole = n / LANES * LANES;
  for (int64_t k = 0; k < whole; k++) to[k] = toBfloat16(from[k]);
  if (whole == n) return;
  uint16_t rest[LANES];
  for (int64_t k = 0; k < LANES; k++) rest[k] = toBfloat16(from[whole + k]);
  std::memcpy(to + whole, rest, (n - whole) * sizeof(uint16_t));
}

// e^x by 2^n times a polynomial of the rest (Cephes, expf)
INLINE float expOf(float x) {
  const float t = x > 88.3762626f ? 88.3762626f : x < -87.3365448f ? -87.3365448f : x;
  const float n = std::floor(t * 1.44269504f + 0.5f), r = (t - n * 0.693359375f) + n * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  return x < -87.3365448f ? 0.0f : y * bits(uint32_t(int32_t(n) + 127) << 23);
}

// x P(x^2) / Q(x^2), as Eigen and XLA do
INLINE float erfOf(float v) {
  const float x = v > 4.0f ? 4.0f : v < -4.0f ? -4.0f : v, s = x * x;
  float p = -2.72614225801306e-10f;
  p = p * s + 2.77068142495902e-08f;
  p = p * s - 2.10102402082508e-06f;
  p = p * s - 5.69250639462346e-05f;
  p = p * s - 7.34990630326855e-04f;
  p = p * s - 2.95459980854025e-03f;
  p = p * s - 1.60960333262415e-02f;
  float q = -1.45660718464996e-05f;
  q = q * s - 2.13374055278905e-04f;
  q = q * s - 1.68282697438203e-03f;
  q = q * s - 7.37332916720468e-03f;
  q = q * s - 1.42647390514189e-02f;
  return x * p / q;
}
INLINE float tanhOf(float x) {
  const float e = expOf(-2.0f * std::fabs(x)), y = (1.0f - e) / (1.0f + e);
  return std::copysign(y, x);
}

// n numbers as one: whole lanes side by side, and these in the end.
template <typename F> INLINE float reduced(const float* a, int64_t n, float from, F f) {
  float sums[4 * LANES];
  for (auto& sum : sums) sum = from;
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) for (int k = 0; k < 4 * LANES; k++) sums[k] = f(sums[k], a[i + k]);
  for (; i + LANES <= n; i += LANES) for (int k = 0; k < LANES; k++) sums[k] = f(sums[k], a[i + k]);
  for (int k = LANES; i < n; i++, k++) sums[k] = f(sums[k], a[i]);
  for (int width = 2 * LANES; width > 0; width /= 2) for (int k = 0; k < width; k++) sums[k] = f(sums[k], sums[k + width]);
  return sums[0];
}
