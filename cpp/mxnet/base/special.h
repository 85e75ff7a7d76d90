// Special functions, evaluated one number at a time in double.
#pragma once
#include "mxnet/base/digamma.h"

namespace mxnet {

#ifdef __CUDACC__
// In device code they are CUDA's.
MX_HD inline double gamma(double x) { return ::tgamma(x); }
MX_HD inline double gammaln(double x) { return ::lgamma(x); }
MX_HD inline double erfinv(double x) { return ::erfinv(x); }
#else
double gamma(double x);
double gammaln(double x);  // log |gamma(x)|; safe to call from several threads
double erfinv(double x);
#endif
// The n-th derivative of digamma; n = 0 is digamma itself. NaN at its poles.
double polygamma(int n, double x);

MX_HD inline float gamma(float x) { return static_cast<float>(gamma(static_cast<double>(x))); }
MX_HD inline float gammaln(float x) { return static_cast<float>(gammaln(static_cast<double>(x))); }
MX_HD inline float digamma(float x) { return static_cast<float>(digamma(static_cast<double>(x))); }
inline float polygamma(int n, float x) { return static_cast<float>(polygamma(n, static_cast<double>(x))); }
MX_HD inline float erfinv(float x) { return static_cast<float>(erfinv(static_cast<double>(x))); }

}  // namespace mxnet
