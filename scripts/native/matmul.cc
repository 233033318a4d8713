// EngramMatMul: products of matrices [..., m, k] x [..., k, n] with the same leading axes, either one transposed, all of float32
// or, where the processor has no faster way, of bfloat16, summed in float32.
// TensorFlow hands such a product to threads that sleep in between, and waking them takes as long as a small product does;
// ours look around for a while.
#include "kernel.h"
#include "processor.h"
#include "product.h"
#include "workers.h"

namespace {

struct Transposed { unsigned char a = 0, b = 0; };
// A matrix of a is rows x depth, whichever way it lies.
struct Shape { int64_t batch, m, n, depth; };
// What of C a thread computes: of one of the products, some rows and columns.
struct Part { int64_t batch, row, rows, column, columns; };
template <typename T> struct Call { Shape s; Transposed transposed; const T *a, *b; T* c; };

// Products of fewer operations are not worth a second thread, nor are narrower parts.
constexpr int64_t SHARED = 1 << 21, NARROW = 96, LOW = 56;

// Few columns of C and columns of A that lie apart: as C' = B' A' a strip of A is read as it lies, and for all of C's columns at once.
template <typename R, typename T> INLINE void turned(const MatrixOf<T>& a, const MatrixOf<T>& b, T* c, int64_t ldc, const Part& p, int64_t depth, Packing& packing) {
  thread_local std::vector<T> other;
  if (int64_t(other.size()) < p.rows * p.columns) other.resize(p.rows * p.columns);
  product<R, T>({b.at, b.column, b.row}, {a.at, a.column, a.row}, other.data(), p.rows, p.columns, p.rows, depth, false, packing);
  for (int64_t i = 0; i < p.rows; i++)
    for (int64_t j = 0; j < p.columns; j++) c[i * ldc + j] = other[j * p.rows + i];
}

template <typename R, typename T> INLINE void compute(const Call<T>& x, const Part& p, Packing& packing) {
  const auto& [batch, m, n, depth] = x.s;
  using M = MatrixOf<T>;
  const M a = x.transposed.a ? M{x.a, 1, m} : M{x.a, depth, 1}, b = x.transposed.b ? M{x.b, 1, depth} : M{x.b, n, 1};
  const M left{a.from(p.row, 0) + p.batch * m * depth, a.row, a.column}, right{b.from(0, p.column) + p.batch * n * depth, b.row, b.column};
  T* const c = x.c + (p.batch * m + p.row) * n + p.column;
  if (x.transposed.a && p.columns < R::lanes && p.rows >= R::width) turned<R>(left, right, c, n, p, depth, packing);
  else product<R>(left, right, c, n, p.rows, p.columns, depth, false, packing);
}
template <typename T> AVX512 void compute512(const Call<T>& x, const Part& p, Packing& packing) { compute<Wide>(x, p, packing); }
template <typename T> AVX2 void compute256(const Call<T>& x, const Part& p, Packing& packing) { compute<Middle>(x, p, packing); }

// Rows are shared out first, unless b is much larger than a: each band packs b for itself.
template <typename T> void multiply(const Call<T>& x) {
  const Shape& s = x.s;
  const int64_t wanted = 2 * s.m * s.n * s.depth < SHARED ? 1 : (workers().threads + s.batch - 1) / s.batch;
  const auto parts = [](int64_t most, int64_t size, int64_t least) { return std::clamp<int64_t>(size / least, 1, most); };
  const auto rest = [&](int64_t done) { return (wanted + done - 1) / done; };
  const bool wide = s.n > 2 * s.m;
  const int64_t first = wide ? parts(wanted, s.n, NARROW) : parts(wanted, s.m, LOW), second = wide ? parts(rest(first), s.m, LOW) : parts(rest(first), s.n, NARROW);
  const int64_t across = wide ? first : second, down = wide ? second : first;
  const int64_t strips = (s.n + LANES - 1) / LANES;
  workers().run(s.batch * across * down, [&](int i) {
    thread_local Packing packing;
    const int64_t of = i / (across * down), at = i % across, band = i / across % down;
    const int64_t row = s.m * band / down, column = strips * at / across * LANES;
    const Part part{of, row, s.m * (band + 1) / down - row, column, std::min(s.n, strips * (at + 1) / across * LANES) - column};
    vectors() == Vectors::Avx512 ? compute512(x, part, packing) : compute256(x, part, packing);
  });
}

// ---- TensorFlow ----

void* create(TF_OpKernelConstruction* ctx) {
  Status status;
  auto* t = new Transposed();
  TF_OpKernelConstruction_GetAttrBool(ctx, "adj_x", &t->a, status.s);
  if (status.ok()) TF_OpKernelConstruction_GetAttrBool(ctx, "adj_y", &t->b, status.s);
  if (!status.ok()) TF_OpKernelConstruction_Failure(ctx, status.s);
  return t;
}
void destroy(void* kernel) { delete static_cast<Transposed*>(kernel); }

bool shapeOf(const std::vector<int64_t>& a, const std::vector<int64_t>& b, const Transposed& t, Shape& s) {
  const size_t rank = a.size();
  if (rank < 2 || b.size() != rank) return false;
  s.batch = 1;
  for (size_t i = 0; i + 2 < rank; i++) {
    if (a[i] != b[i]) return false;
    s.batch *= a[i];
  }
  s.m = a[rank - (t.a ? 1 : 2)];
  s.depth = a[rank - (t.a ? 2 : 1)];
  s.n = b[rank - (t.b ? 2 : 1)];
  return s.depth == b[rank - (t.b ? 1 : 2)];
}

template <typename T> void multiply(const Shape& s, const Transposed& transposed, const TF_Tensor* a, const TF_Tensor* b, const TF_Tensor* c) {
  const auto at = [](const TF_Tensor* t) { return static_cast<T*>(TF_TensorData(t)); };
  if (s.depth == 0) std::fill_n(at(c), s.batch * s.m * s.n, T{});
  else if (s.batch * s.m * s.n > 0) multiply<T>({s, transposed, at(a), at(b), at(c)});
}

void run(void* kernel, TF_OpKernelContext* ctx) {
  const auto& transposed = *static_cast<Transposed*>(kernel);
  Status status;
  Tensors held;
  const TF_Tensor* a = held.input(ctx, 0, status);
  const TF_Tensor* b = status.ok() ? held.input(ctx, 1, status) : nullptr;
  if (!status.ok()) return TF_OpKernelContext_Failure(ctx, status.s);
  Shape s;
  auto dims = dimensions(a);
  if (!shapeOf(dims, dimensions(b), transposed, s)) {
    TF_SetStatus(status.s, TF_INVALID_ARGUMENT, "EngramMatMul: the inputs must be [..., m, k] and [..., k, n] with the same leading axes");
    return TF_OpKernelContext_Failure(ctx, status.s);
  }
  dims[dims.size() - 2] = s.m;
  dims.back() = s.n;
  const TF_Tensor* c = held.output(ctx, 0, dims, status);
  if (!status.ok()) return TF_OpKernelContext_Failure(ctx, status.s);
  TF_TensorType(a) == TF_BFLOAT16 ? multiply<uint16_t>(s, transposed, a, b, c) : multiply<float>(s, transposed, a, b, c);
}

struct Registration {
  Registration() {
    if (vectors() == Vectors::Plain) return;
    const char* types = multipliesBfloat16() ? "T: {float}" : "T: {float, bfloat16}";
    registerOperation({"EngramMatMul", {types, "adj_x: bool", "adj_y: bool"}, {"a: T", "b: T"}, {"c: T"}, create, run, destroy});
  }
} registration;

}  // namespace
