// EngramFused: a TensorFlow operation for the CPU that runs a small program of element-wise operations in one pass over
// memory. TensorFlow runs such operations one by one, each reading and writing whole tensors; beside fast matrix products
// that is most of a training step. The compiled step writes the programs (src/main/engine/step/graph/fuse.ts).
//
// A program works on a table of rows and columns, a piece of a row at a time; what it computes in between stays in the
// processor's cache. Its text is a list of numbers and names:
//   rows columns
//   number of inputs, then each: repeat count wide    row r of the table reads row (r / repeat) % count of the input,
//                                                     one number a column if wide, else one for all
//   number of instructions, then each: name a b       registers are the inputs, then the instructions' results
//   number of outputs, then each: register kind rank dimensions...    kind: wide | narrow (one a row) | sum (over the rows)
#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "arithmetic.h"
#include "kernel.h"
#include "processor.h"
#include "workers.h"

namespace {

enum Op { Add, Sub, Mul, Div, Max, Min, Neg, Square, Sqrt, Rsqrt, Reciprocal, Exp, Erf, Tanh, Sigmoid, Relu, Floor, Abs, Round, RowSum, RowMean, RowMax, MulAdd, MulSub, SubMul };
const std::map<std::string, Op> names = {
    {"add", Add}, {"sub", Sub}, {"mul", Mul}, {"div", Div}, {"max", Max}, {"min", Min}, {"neg", Neg}, {"square", Square}, {"sqrt", Sqrt}, {"rsqrt", Rsqrt},
    {"reciprocal", Reciprocal}, {"exp", Exp}, {"erf", Erf}, {"tanh", Tanh}, {"sigmoid", Sigmoid}, {"relu", Relu}, {"floor", Floor}, {"abs", Abs},
    {"round", Round}, {"rowsum", RowSum}, {"rowmean", RowMean}, {"rowmax", RowMax}};
bool isReduction(Op op) { return op >= RowSum && op <= RowMax; }
int operands(Op op) { return op >= MulAdd ? 3 : op <= Min ? 2 : 1; }

// Of a row at a time; of short rows that are joined; elements that are worth handing to a thread; how often work is handed out.
constexpr int64_t PIECE = 512, JOINED = 512, SHARE = 16384, PARTS = 16;

enum Kind { Wide, Narrow, Sum };
// tiles: how often a row of it is repeated within a row of the table
struct Input { int64_t repeat, count; bool wide; int64_t size = 0, tiles = 1; };
struct Instruction { Op op; int from[3]; int slot; };
struct Output { int reg; Kind kind; std::vector<int64_t> dims; };

struct Program {
  int64_t rows, columns;
  std::vector<Input> inputs;
  std::vector<Instruction> code;
  std::vector<Output> outputs;
  int slots = 0;
  bool reduces = false;
};

// A product that only a sum or a difference reads becomes one instruction with it.
void contract(Program& p) {
  const int first = p.inputs.size();
  std::vector<int> uses(first + p.code.size()), moved(first + p.code.size());
  for (auto& c : p.code) for (int k = 0; k < operands(c.op); k++) uses[c.from[k]]++;
  for (auto& out : p.outputs) uses[out.reg]++;
  std::vector<bool> gone(p.code.size());
  const auto product = [&](int reg) { return reg >= first && uses[reg] == 1 && p.code[reg - first].op == Mul; };
  for (auto& c : p.code) {
    if (c.op != Add && c.op != Sub) continue;
    const int side = product(c.from[0]) ? 0 : product(c.from[1]) ? 1 : -1;
    if (side < 0) continue;
    const auto& mul = p.code[c.from[side] - first];
    gone[c.from[side] - first] = true;
    c = {c.op == Add ? MulAdd : side == 0 ? MulSub : SubMul, {mul.from[0], mul.from[1], c.from[1 - side]}};
  }
  std::vector<Instruction> kept;
  for (int i = 0; i < first; i++) moved[i] = i;
  for (size_t i = 0; i < p.code.size(); i++) {
    moved[first + i] = first + kept.size();
    if (gone[i]) continue;
    for (int k = 0; k < operands(p.code[i].op); k++) p.code[i].from[k] = moved[p.code[i].from[k]];
    kept.push_back(p.code[i]);
  }
  p.code = kept;
  for (auto& out : p.outputs) out.reg = moved[out.reg];
}

// Results share buffers once nobody reads them again.
void placeResults(Program& p) {
  const int first = p.inputs.size();
  std::vector<int> last(first + p.code.size(), -1), free;
  for (size_t i = 0; i < p.code.size(); i++) for (int k = 0; k < operands(p.code[i].op); k++) last[p.code[i].from[k]] = i;
  for (auto& out : p.outputs) last[out.reg] = p.code.size();
  for (size_t i = 0; i < p.code.size(); i++) {
    auto& c = p.code[i];
    if (free.empty()) free.push_back(p.slots++);
    c.slot = free.back();
    free.pop_back();
    for (int k = 0; k < operands(c.op); k++) {
      const int reg = c.from[k];
      if (reg < first || last[reg] != int(i)) continue;
      free.push_back(p.code[reg - first].slot);
      last[reg] = -1;
    }
    if (last[first + i] < 0) free.push_back(c.slot);
  }
}

// A few short rows are computed as one long row.
void joinRows(Program& p) {
  if (p.reduces || p.columns >= JOINED / 2) return;
  for (auto& out : p.outputs) if (out.kind != Wide) return;
  for (auto& in : p.inputs) if (in.count != 1 && !(in.wide && in.repeat == 1 && in.count == p.rows)) return;
  int64_t n = 1;
  for (int64_t k = 2; k * p.columns <= JOINED && 2 * k <= p.rows; k++) if (p.rows % k == 0) n = k;
  for (auto& in : p.inputs) {
    if (in.count == 1) in.tiles = in.wide ? n : 1;
    else in.count /= n;
  }
  p.rows /= n;
  p.columns *= n;
}

bool parse(const std::string& text, Program& p) {
  std::istringstream in(text);
  size_t n;
  if (!(in >> p.rows >> p.columns >> n)) return false;
  p.inputs.resize(n);
  for (auto& i : p.inputs) {
    in >> i.repeat >> i.count >> i.wide;
    i.size = i.count * (i.wide ? p.columns : 1);
  }
  in >> n;
  p.code.resize(n);
  for (auto& c : p.code) {
    std::string name;
    in >> name >> c.from[0] >> c.from[1];
    auto found = names.find(name);
    if (found == names.end()) return false;
    c.op = found->second;
    p.reduces |= isReduction(c.op);
  }
  in >> n;
  p.outputs.resize(n);
  for (auto& o : p.outputs) {
    std::string kind;
    size_t rank;
    in >> o.reg >> kind >> rank;
    o.kind = kind == "wide" ? Wide : kind == "narrow" ? Narrow : Sum;
    o.dims.resize(rank);
    for (auto& d : o.dims) in >> d;
  }
  if (!in) return false;
  contract(p);
  placeResults(p);
  joinRows(p);
  return true;
}

// n is 1 or a whole number of lanes, and no result lies where an operand does.
template <typename F> INLINE void lanes(float* __restrict out, int64_t n, F f) {
  if (n == 1) out[0] = f(0);
  else for (int64_t i = 0; i < n / LANES * LANES; i++) out[i] = f(i);
}
template <typename F> INLINE void each(float* out, const float* a, int64_t n, F f) {
  lanes(out, n, [=](int64_t i) { return f(a[i]); });
}
template <typename F> INLINE void pairs(float* out, const float* a, bool wideA, const float* b, bool wideB, int64_t n, F f) {
  const float oneA = *a, oneB = *b;
  if (wideA && wideB) lanes(out, n, [=](int64_t i) { return f(a[i], b[i]); });
  else if (wideA) lanes(out, n, [=](int64_t i) { return f(a[i], oneB); });
  else lanes(out, n, [=](int64_t i) { return f(oneA, b[i]); });
}
// Products are the same either way round.
template <typename F> INLINE void triples(float* out, const float* a, bool wideA, const float* b, bool wideB, const float* c, bool wideC, int64_t n, F f) {
  if (wideB && !wideA) {
    std::swap(a, b);
    std::swap(wideA, wideB);
  }
  const float oneA = *a, oneB = *b, oneC = *c;
  if (wideA && wideB && wideC) lanes(out, n, [=](int64_t i) { return f(a[i], b[i], c[i]); });
  else if (wideA && wideB) lanes(out, n, [=](int64_t i) { return f(a[i], b[i], oneC); });
  else if (wideA && wideC) lanes(out, n, [=](int64_t i) { return f(a[i], oneB, c[i]); });
  else if (wideA) lanes(out, n, [=](int64_t i) { return f(a[i], oneB, oneC); });
  else lanes(out, n, [=](int64_t i) { return f(oneA, oneB, c[i]); });
}
// ---- running ----

struct Register { const float* at; bool wide; };
struct Source { const void* data; bool rounded; };
struct Sink { void* data; bool rounded; };

// Sums over rows: a few rows at a time, so that long columns lose no precision.
struct Column { std::vector<float> few, all; };

struct Pass {
  const Program& p;
  const std::vector<Source>& sources;
  const std::vector<Sink>& sinks;
  int64_t piece;
};

// What a thread computes with.
struct Scratch {
  std::vector<float> slots, loaded;
  std::vector<Register> registers;
  void fit(const Pass& pass) {
    slots.resize(std::max(slots.size(), size_t(pass.p.slots * padded(pass.piece))));
    loaded.resize(std::max(loaded.size(), size_t(pass.p.inputs.size() * padded(pass.piece))));
    registers.resize(pass.p.inputs.size() + pass.p.code.size());
  }
};
using Columns = std::vector<Column>;
Columns columnsFor(const Program& p) {
  Columns all(p.outputs.size());
  for (size_t o = 0; o < all.size(); o++)
    if (p.outputs[o].kind == Sum) all[o] = {std::vector<float>(padded(p.columns)), std::vector<float>(padded(p.columns))};
  return all;
}

INLINE int64_t lineOf(const Input& in, int64_t row, int64_t rows) {
  if (in.count == 1) return 0;
  return in.repeat == 1 && in.count == rows ? row : row / in.repeat % in.count;
}

// What a register points to may be read by whole lanes.
INLINE void load(const Pass& pass, Scratch& s, int64_t row, int64_t from, int64_t n) {
  for (size_t i = 0; i < pass.p.inputs.size(); i++) {
    const Input& in = pass.p.inputs[i];
    const Source& source = pass.sources[i];
    const int64_t line = lineOf(in, row, pass.p.rows), columns = pass.p.columns / in.tiles, at = in.wide ? line * columns + from : line;
    const int64_t wanted = in.wide ? padded(n) : 1, many = std::min(wanted, std::min(in.size - at, columns));
    float* to = s.loaded.data() + i * padded(pass.piece);
    if (!source.rounded && many == wanted) {
      s.registers[i] = {static_cast<const float*>(source.data) + at, in.wide};
      continue;
    }
    if (source.rounded) {
      const uint16_t* h = static_cast<const uint16_t*>(source.data) + at;
      for (int64_t k = 0; k < many; k++) to[k] = fromBfloat16(h[k]);
    } else {
      std::memcpy(to, static_cast<const float*>(source.data) + at, many * sizeof(float));
    }
    for (int64_t t = 1; t < in.tiles; t++) std::memcpy(to + t * columns, to, columns * sizeof(float));
    s.registers[i] = {to, in.wide};
  }
}

INLINE void compute(Op op, const Register& a, const Register& b, const Register& c, float* out, int64_t n, int64_t columns) {
  switch (op) {
    case Add: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x + y; });
    case Sub: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x - y; });
    case Mul: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x * y; });
    case Div: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x / y; });
    case Max: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x > y || x != x ? x : y; });
    case Min: return pairs(out, a.at, a.wide, b.at, b.wide, n, [](float x, float y) { return x < y || x != x ? x : y; });
    case Neg: return each(out, a.at, n, [](float x) { return -x; });
    case Square: return each(out, a.at, n, [](float x) { return x * x; });
    case Sqrt: return each(out, a.at, n, [](float x) { return std::sqrt(x); });
    case Rsqrt: return each(out, a.at, n, [](float x) { return 1.0f / std::sqrt(x); });
    case Reciprocal: return each(out, a.at, n, [](float x) { return 1.0f / x; });
    case Exp: return each(out, a.at, n, [](float x) { return expOf(x); });
    case Erf: return each(out, a.at, n, [](float x) { return erfOf(x); });
    case Tanh: return each(out, a.at, n, [](float x) { return tanhOf(x); });
    case Sigmoid: return each(out, a.at, n, [](float x) { return 1.0f / (1.0f + expOf(-x)); });
    case Relu: return each(out, a.at, n, [](float x) { return x < 0.0f ? 0.0f : x; });
    case Floor: return each(out, a.at, n, [](float x) { return std::floor(x); });
    case Abs: return each(out, a.at, n, [](float x) { return std::fabs(x); });
    case Round: return each(out, a.at, n, [](float x) { return fromBfloat16(toBfloat16(x)); });
    case MulAdd: return triples(out, a.at, a.wide, b.at, b.wide, c.at, c.wide, n, [](float x, float y, float z) { return x * y + z; });
    case MulSub: return triples(out, a.at, a.wide, b.at, b.wide, c.at, c.wide, n, [](float x, float y, float z) { return x * y - z; });
    case SubMul: return triples(out, a.at, a.wide, b.at, b.wide, c.at, c.wide, n, [](float x, float y, float z) { return z - x * y; });
    case RowSum: *out = reduced(a.at, n, 0.0f, [](float x, float y) { return x + y; }); return;
    case RowMean: *out = reduced(a.at, n, 0.0f, [](float x, float y) { return x + y; }) / float(columns); return;
    case RowMax: *out = reduced(a.at, n, -INFINITY, [](float x, float y) { return x > y || x != x ? x : y; }); return;
  }
}

INLINE void store(const Pass& pass, const Scratch& s, Columns& sums, int64_t row, int64_t from, int64_t n) {
  for (size_t o = 0; o < pass.p.outputs.size(); o++) {
    const Output& out = pass.p.outputs[o];
    const Register& r = s.registers[out.reg];
    const Sink& sink = pass.sinks[o];
    if (out.kind == Sum) {
      float* __restrict few = sums[o].few.data() + from;
      const float one = *r.at;
      if (r.wide) for (int64_t k = 0; k < padded(n); k++) few[k] += r.at[k];
      else for (int64_t k = 0; k < padded(n); k++) few[k] += one;
    } else if (out.kind == Narrow) {
      if (sink.rounded) static_cast<uint16_t*>(sink.data)[row] = toBfloat16(*r.at);
      else static_cast<float*>(sink.data)[row] = *r.at;
    } else {
      const int64_t at = row * pass.p.columns + from;
      if (sink.rounded) storeRounded(static_cast<uint16_t*>(sink.data) + at, r.at, n);
      else std::memcpy(static_cast<float*>(sink.data) + at, r.at, n * sizeof(float));
    }
  }
}

INLINE void flush(Columns& sums) {
  for (auto& c : sums) {
    for (size_t k = 0; k < c.all.size(); k++) {
      c.all[k] += c.few[k];
      c.few[k] = 0.0f;
    }
  }
}

INLINE void rowsOf(const Pass& pass, Scratch& s, Columns& sums, int64_t row, int64_t end, int64_t begin, int64_t stop) {
  const size_t first = pass.p.inputs.size();
  for (int64_t count = 0; row < end; row++) {
    for (int64_t from = begin; from < stop; from += pass.piece) {
      const int64_t n = std::min(pass.piece, stop - from);
      load(pass, s, row, from, n);
      for (size_t i = 0; i < pass.p.code.size(); i++) {
        const Instruction& c = pass.p.code[i];
        const int many = operands(c.op);
        const Register a = s.registers[c.from[0]], b = s.registers[c.from[many > 1 ? 1 : 0]], d = s.registers[c.from[many > 2 ? 2 : 0]];
        const bool wide = !isReduction(c.op) && (a.wide || b.wide || d.wide);
        float* out = s.slots.data() + c.slot * padded(pass.piece);
        compute(c.op, a, b, d, out, isReduction(c.op) ? n : wide ? padded(n) : 1, pass.p.columns);
        s.registers[first + i] = {out, wide};
      }
      store(pass, s, sums, row, from, n);
    }
    if (++count % 64 == 0) flush(sums);
  }
  flush(sums);
}

// The same loops for processors with and without the wide vectors; chosen when the program runs.
using Rows = void (*)(const Pass&, Scratch&, Columns&, int64_t, int64_t, int64_t, int64_t);
#define ROWS(NAME, TARGET) \
  TARGET void NAME(const Pass& p, Scratch& s, Columns& sums, int64_t row, int64_t end, int64_t begin, int64_t stop) { rowsOf(p, s, sums, row, end, begin, stop); }
ROWS(rowsWide, AVX512)
ROWS(rowsMiddle, AVX2)
ROWS(rowsPlain, )
Rows bestRows() { return vectors() == Vectors::Avx512 ? rowsWide : vectors() == Vectors::Avx2 ? rowsMiddle : rowsPlain; }

// The table is always cut in the same way, so that sums come out the same each time and with any number of threads.
void execute(const Program& p, const std::vector<Source>& sources, const std::vector<Sink>& sinks) {
  static const Rows rows = bestRows();
  const Pass pass{p, sources, sinks, p.reduces ? p.columns : std::min(PIECE, p.columns)};
  const bool byRows = p.rows > 1;
  const int64_t length = byRows ? p.rows : p.columns;
  const int64_t shares = !byRows && p.reduces ? 1 : std::max<int64_t>(1, p.rows * p.columns / SHARE);
  const int parts = std::min({PARTS, length, shares});
  std::vector<Columns> sums(parts);
  workers().run(parts, [&](int i) {
    thread_local Scratch scratch;
    scratch.fit(pass);
    sums[i] = columnsFor(p);
    const int64_t from = length * i / parts, to = length * (i + 1) / parts;
    if (byRows) rows(pass, scratch, sums[i], from, to, 0, p.columns);
    else rows(pass, scratch, sums[i], 0, 1, from, to);
  });
  for (size_t o = 0; o < p.outputs.size(); o++) {
    if (p.outputs[o].kind != Sum) continue;
    float* to = static_cast<float*>(sinks[o].data);
    std::fill(to, to + p.columns, 0.0f);
    for (auto& part : sums) for (int64_t k = 0; k < p.columns; k++) to[k] += part[o].all[k];
  }
}

// ---- TensorFlow ----

void* create(TF_OpKernelConstruction* ctx) {
  Status status;
  int32_t list = 0, size = 0;
  TF_OpKernelConstruction_GetAttrSize(ctx, "program", &list, &size, status.s);
  std::string text(size, ' ');
  if (status.ok()) TF_OpKernelConstruction_GetAttrString(ctx, "program", &text[0], size, status.s);
  auto* program = new Program();
  if (status.ok() && !parse(text, *program)) TF_SetStatus(status.s, TF_INVALID_ARGUMENT, "EngramFused: the program cannot be read");
  if (!status.ok()) TF_OpKernelConstruction_Failure(ctx, status.s);
  return program;
}

// A wide float32 input that nobody else holds may become an output: a piece is read whole before it is written.
TF_Tensor* outputFor(TF_OpKernelContext* ctx, const Program& p, int index, const std::vector<Source>& sources, TF_Status* status) {
  const Output& out = p.outputs[index];
  const TF_DataType type = TF_ExpectedOutputDataType(ctx, index);
  std::vector<int> candidates;
  if (out.kind == Wide && type == TF_FLOAT)
    for (size_t i = 0; i < p.inputs.size(); i++)
      if (!sources[i].rounded && p.inputs[i].wide && p.inputs[i].repeat == 1 && p.inputs[i].count == p.rows) candidates.push_back(i);
  int forwarded = -1;
  if (!candidates.empty()) return TF_ForwardInputOrAllocateOutput(ctx, candidates.data(), candidates.size(), index, out.dims.data(), out.dims.size(), &forwarded, status);
  int64_t n = 1;
  for (auto d : out.dims) n *= d;
  return TF_AllocateOutput(ctx, index, type, out.dims.data(), out.dims.size(), n * TF_DataTypeSize(type), status);
}

void run(void* kernel, TF_OpKernelContext* ctx) {
  const Program& p = *static_cast<Program*>(kernel);
  Status status;
  Tensors held;
  std::vector<Source> sources;
  std::vector<Sink> sinks;
  for (size_t i = 0; i < p.inputs.size(); i++) {
    TF_Tensor* t = held.input(ctx, i, status);
    if (!status.ok()) return TF_OpKernelContext_Failure(ctx, status.s);
    if (TF_TensorElementCount(t) != p.inputs[i].size) {
      TF_SetStatus(status.s, TF_INVALID_ARGUMENT, "EngramFused: an input is not of the size that the program was written for");
      return TF_OpKernelContext_Failure(ctx, status.s);
    }
    sources.push_back({TF_TensorData(t), TF_TensorType(t) == TF_BFLOAT16});
  }
  for (size_t o = 0; o < p.outputs.size(); o++) {
    TF_Tensor* t = outputFor(ctx, p, o, sources, status.s);
    if (!status.ok()) return TF_OpKernelContext_Failure(ctx, status.s);
    held.all.push_back(t);
    sinks.push_back({TF_TensorData(t), TF_TensorType(t) == TF_BFLOAT16});
  }
  execute(p, sources, sinks);
}

void destroy(void* kernel) { delete static_cast<Program*>(kernel); }

struct Registration {
  Registration() {
    registerOperation({"EngramFused", {"Tin: list({float, bfloat16})", "Tout: list({float, bfloat16})", "program: string"}, {"inputs: Tin"}, {"outputs: Tout"}, create, run, destroy});
  }
} registration;

}  // namespace
