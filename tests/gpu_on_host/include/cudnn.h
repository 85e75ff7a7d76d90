// Handles only: what is made of cuDNN is not run on the host.
#pragma once
#include "cuda_runtime.h"

enum cudnnStatus_t { CUDNN_STATUS_SUCCESS };
using cudnnHandle_t = void*;

inline const char* cudnnGetErrorString(cudnnStatus_t) { return ""; }
inline cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) { return *handle = nullptr, CUDNN_STATUS_SUCCESS; }
inline cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }
