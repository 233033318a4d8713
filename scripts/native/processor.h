// What the processor that this runs on can do.
#pragma once

#include <cpuid.h>

enum class Vectors { Plain, Avx2, Avx512 };

// The loops of an operation are compiled for each of these.
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))

inline Vectors vectors() {
  static const Vectors best = [] {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Vectors::Plain;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return wide ? Vectors::Avx512 : Vectors::Avx2;
  }();
  return best;
}

// Whether products of bfloat16 are faster by instructions of their own than in float32: AMX-BF16, or AMD's AVX512-BF16.
// Intel's AVX512-BF16 without AMX is not.
inline bool multipliesBfloat16() {
  static const bool fast = [] {
    __builtin_cpu_init();
    unsigned a, b, c, d;
    const bool amx = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1), pairs = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
    return amx || (pairs && __builtin_cpu_is("amd"));
  }();
  return fast;
}
