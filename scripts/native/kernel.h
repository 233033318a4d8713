// What our operations use of TensorFlow's C interface.
#pragma once
#include <vector>

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_datatype.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// From tensorflow/c/kernels.h, which includes headers that have no part in this.
extern "C" {
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_KernelBuilder* TF_NewKernelBuilder(const char*, const char*, void* (*)(TF_OpKernelConstruction*), void (*)(void*, TF_OpKernelContext*), void (*)(void*));
void TF_RegisterKernelBuilder(const char*, TF_KernelBuilder*, TF_Status*);
void TF_OpKernelConstruction_GetAttrSize(TF_OpKernelConstruction*, const char*, int32_t*, int32_t*, TF_Status*);
void TF_OpKernelConstruction_GetAttrString(TF_OpKernelConstruction*, const char*, char*, size_t, TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction*, const char*, int64_t*, TF_Status*);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char*, float*, TF_Status*);
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction*, const char*, unsigned char*, TF_Status*);
void TF_GetInput(TF_OpKernelContext*, int, TF_Tensor**, TF_Status*);
TF_DataType TF_ExpectedOutputDataType(TF_OpKernelContext*, int);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int, TF_DataType, const int64_t*, int, size_t, TF_Status*);
TF_Tensor* TF_ForwardInputOrAllocateOutput(TF_OpKernelContext*, const int*, int, int, const int64_t*, int, int*, TF_Status*);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction*, TF_Status*);
}

struct Status {
  TF_Status* s = TF_NewStatus();
  ~Status() { TF_DeleteStatus(s); }
  bool ok() const { return TF_GetCode(s) == TF_OK; }
};
struct Tensors {
  std::vector<TF_Tensor*> all;
  ~Tensors() { for (auto* t : all) TF_DeleteTensor(t); }
  // Inputs and outputs of a call; null where `status` says why.
  TF_Tensor* input(TF_OpKernelContext* ctx, int index, Status& status) {
    TF_Tensor* t = nullptr;
    TF_GetInput(ctx, index, &t, status.s);
    return kept(t);
  }
  TF_Tensor* output(TF_OpKernelContext* ctx, int index, const std::vector<int64_t>& dims, Status& status) {
    const TF_DataType type = TF_ExpectedOutputDataType(ctx, index);
    size_t bytes = TF_DataTypeSize(type);
    for (auto d : dims) bytes *= d;
    return kept(TF_AllocateOutput(ctx, index, type, dims.data(), dims.size(), bytes, status.s));
  }

 private:
  TF_Tensor* kept(TF_Tensor* t) {
    if (t != nullptr) all.push_back(t);
    return t;
  }
};
inline const float* numbers(const TF_Tensor* t) { return static_cast<const float*>(TF_TensorData(t)); }
inline float* room(const TF_Tensor* t) { return static_cast<float*>(TF_TensorData(t)); }
inline std::vector<int64_t> dimensions(const TF_Tensor* t) {
  std::vector<int64_t> dims(TF_NumDims(t));
  for (size_t i = 0; i < dims.size(); i++) dims[i] = TF_Dim(t, i);
  return dims;
}

inline void unknownShapes(TF_ShapeInferenceContext* ctx, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(ctx, status); }

// An operation as it is declared ("name: type"), and what runs it on a CPU.
struct Operation {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
  void* (*create)(TF_OpKernelConstruction*);
  void (*run)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};
inline void registerOperation(const Operation& o) {
  Status status;
  auto* op = TF_NewOpDefinitionBuilder(o.name);
  for (auto* attribute : o.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  for (auto* input : o.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (auto* output : o.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, unknownShapes);
  TF_RegisterOpDefinition(op, status.s);
  if (status.ok()) TF_RegisterKernelBuilder(o.name, TF_NewKernelBuilder(o.name, "CPU", o.create, o.run, o.destroy), status.s);
}
