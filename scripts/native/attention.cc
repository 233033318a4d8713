// EngramAttention and its gradient: softmax(scale q kᵀ) v per head on float32 [batch, tokens, width], where a head is a part
// of the width. Heads are read where they lie, so nothing is transposed, and the probabilities of some rows at a time stay in the
// cache; the gradient computes them anew, so that nothing of size tokens x tokens is kept (Dao et al. 2022, arXiv 2205.14135).
#include "kernel.h"
#include "processor.h"
#include "product.h"
#include "workers.h"

namespace {

struct Shape { int64_t batch, tokens, width, heads; float scale; int64_t size() const { return width / heads; } };

// Probabilities of so many numbers are computed at a time.
constexpr int64_t AT_ONCE = 1 << 18, LEAST_ROWS = 56;
int64_t rowsAtOnce(const Shape& s) { return std::min(s.tokens, std::max(LEAST_ROWS, AT_ONCE / s.tokens)); }

// What a thread computes with; lines have room for whole lanes.
struct Scratch {
  Packing packing;
  std::vector<float> probabilities, gradient;
  int64_t line;
  void fit(const Shape& s) {
    line = padded(s.tokens);
    const size_t size = rowsAtOnce(s) * line;
    if (probabilities.size() < size) probabilities.resize(size);
    if (gradient.size() < size) gradient.resize(size);
  }
};

struct Forward { const float *q, *k, *v; float* y; };
struct Backward { const float *q, *k, *v, *dy; float *dq, *dk, *dv; };

INLINE void softmax(float* row, int64_t n, float scale) {
  const float most = scale * reduced(row, n, -INFINITY, [](float x, float y) { return x > y || x != x ? x : y; });
  for (int64_t i = 0; i < padded(n); i++) row[i] = expOf(scale * row[i] - most);
  const float one = 1.0f / reduced(row, n, 0.0f, [](float x, float y) { return x + y; });
  for (int64_t i = 0; i < padded(n); i++) row[i] *= one;
}

// row of p -> scale p (dp - Σ p dp), in place of dp
INLINE void softmaxGradient(const float* p, float* dp, int64_t n, float scale) {
  float sums[LANES] = {};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) for (int k = 0; k < LANES; k++) sums[k] += p[i + k] * dp[i + k];
  float sum = 0.0f;
  for (; i < n; i++) sum += p[i] * dp[i];
  for (int k = 0; k < LANES; k++) sum += sums[k];
  for (int64_t j = 0; j < padded(n); j++) dp[j] = scale * p[j] * (dp[j] - sum);
}

template <typename R> INLINE void probabilities(const Shape& s, const float* q, const float* k, int64_t rows, Scratch& scratch) {
  const int64_t w = s.width;
  product<R>({q, w, 1}, {k, 1, w}, scratch.probabilities.data(), scratch.line, rows, s.tokens, s.size(), false, scratch.packing);
  for (int64_t i = 0; i < rows; i++) softmax(scratch.probabilities.data() + i * scratch.line, s.tokens, s.scale);
}

// One head of one sample.
template <typename R> INLINE void forward(const Shape& s, const Forward& at, Scratch& scratch) {
  const int64_t w = s.width, many = rowsAtOnce(s);
  for (int64_t from = 0; from < s.tokens; from += many) {
    const int64_t rows = std::min(many, s.tokens - from);
    probabilities<R>(s, at.q + from * w, at.k, rows, scratch);
    product<R>({scratch.probabilities.data(), scratch.line, 1}, {at.v, w, 1}, at.y + from * w, w, rows, s.size(), s.tokens, false, scratch.packing);
  }
}

template <typename R> INLINE void backward(const Shape& s, const Backward& at, Scratch& scratch) {
  const int64_t w = s.width, many = rowsAtOnce(s), line = scratch.line;
  float *p = scratch.probabilities.data(), *d = scratch.gradient.data();
  for (int64_t from = 0; from < s.tokens; from += many) {
    const int64_t rows = std::min(many, s.tokens - from);
    const float *q = at.q + from * w, *dy = at.dy + from * w;
    probabilities<R>(s, q, at.k, rows, scratch);
    product<R>({dy, w, 1}, {at.v, 1, w}, d, line, rows, s.tokens, s.size(), false, scratch.packing);
    for (int64_t i = 0; i < rows; i++) softmaxGradient(p + i * line, d + i * line, s.tokens, s.scale);
    product<R>({d, line, 1}, {at.k, w, 1}, at.dq + from * w, w, rows, s.size(), s.tokens, false, scratch.packing);
    product<R>({d, 1, line}, {q, w, 1}, at.dk, w, s.tokens, s.size(), rows, from > 0, scratch.packing);
    product<R>({p, 1, line}, {dy, w, 1}, at.dv, w, s.tokens, s.size(), rows, from > 0, scratch.packing);
  }
}

AVX512 void head512(const Shape& s, const Forward& at, Scratch& scratch) { forward<Wide>(s, at, scratch); }
AVX512 void head512(const Shape& s, const Backward& at, Scratch& scratch) { backward<Wide>(s, at, scratch); }
AVX2 void head256(const Shape& s, const Forward& at, Scratch& scratch) { forward<Middle>(s, at, scratch); }
AVX2 void head256(const Shape& s, const Backward& at, Scratch& scratch) { backward<Middle>(s, at, scratch); }

Forward moved(const Forward& at, int64_t n) { return {at.q + n, at.k + n, at.v + n, at.y + n}; }
Backward moved(const Backward& at, int64_t n) { return {at.q + n, at.k + n, at.v + n, at.dy + n, at.dq + n, at.dk + n, at.dv + n}; }

template <typename Pass> void everyHead(const Shape& s, const Pass& at) {
  workers().run(s.batch * s.heads, [&](int i) {
    thread_local Scratch scratch;
    scratch.fit(s);
    const Pass head = moved(at, i / s.heads * s.tokens * s.width + i % s.heads * s.size());
    vectors() == Vectors::Avx512 ? head512(s, head, scratch) : head256(s, head, scratch);
  });
}

// ---- TensorFlow ----

struct Attributes { int64_t heads; float scale; };

void* create(TF_OpKernelConstruction* ctx) {
  Status status;
  auto* a = new Attributes();
  TF_OpKernelConstruction_GetAttrInt64(ctx, "heads", &a->heads, status.s);
  if (status.ok()) TF_OpKernelConstruction_GetAttrFloat(ctx, "scale", &a->scale, status.s);
  if (!status.ok()) TF_OpKernelConstruction_Failure(ctx, status.s);
  return a;
}
void destroy(void* kernel) { delete static_cast<Attributes*>(kernel); }

// Inputs that must all have one shape, outputs that get it.
template <int INPUTS, int OUTPUTS, typename Run> void call(void* kernel, TF_OpKernelContext* ctx, Run run) {
  const auto& a = *static_cast<Attributes*>(kernel);
  Status status;
  Tensors held;
  std::vector<int64_t> dims;
  for (int i = 0; i < INPUTS && status.ok(); i++) {
    TF_Tensor* t = held.input(ctx, i, status);
    if (!status.ok()) break;
    if (i == 0) dims = dimensions(t);
    if (dims.size() != 3 || dimensions(t) != dims || a.heads < 1 || dims[2] % a.heads != 0)
      TF_SetStatus(status.s, TF_INVALID_ARGUMENT, "EngramAttention: inputs must be [batch, tokens, width] alike, and the width a multiple of the heads");
  }
  for (int i = 0; i < OUTPUTS && status.ok(); i++) held.output(ctx, i, dims, status);
  if (!status.ok()) return TF_OpKernelContext_Failure(ctx, status.s);
  run(Shape{dims[0], dims[1], dims[2], a.heads, a.scale}, held.all);
}
void runForward(void* kernel, TF_OpKernelContext* ctx) {
  call<3, 1>(kernel, ctx, [](const Shape& s, auto& t) { everyHead(s, Forward{numbers(t[0]), numbers(t[1]), numbers(t[2]), room(t[3])}); });
}
void runBackward(void* kernel, TF_OpKernelContext* ctx) {
  call<4, 3>(kernel, ctx, [](const Shape& s, auto& t) {
    everyHead(s, Backward{numbers(t[0]), numbers(t[1]), numbers(t[2]), numbers(t[3]), room(t[4]), room(t[5]), room(t[6])});
  });
}

struct Registration {
  Registration() {
    if (vectors() == Vectors::Plain) return;
    const std::vector<const char*> attributes{"heads: int", "scale: float"};
    registerOperation({"EngramAttention", attributes, {"q: float", "k: float", "v: float"}, {"y: float"}, create, runForward, destroy});
    registerOperation({"EngramAttentionGradient", attributes, {"q: float", "k: float", "v: float", "dy: float"}, {"dq: float", "dk: float", "dv: float"}, create, runBackward, destroy});
  }
} registration;

}  // namespace
