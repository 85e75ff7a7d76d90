// Special functions, evaluated one number at a time in double.
#pragma once

namespace mxnet {

double gamma(double x);
double gammaln(double x);  // log |gamma(x)|; safe to call from several threads
// The n-th derivative of digamma; n = 0 is digamma itself. NaN at its poles.
double polygamma(int n, double x);
double erfinv(double x);

inline float gamma(float x) { return static_cast<float>(gamma(static_cast<double>(x))); }
inline float gammaln(float x) { return static_cast<float>(gammaln(static_cast<double>(x))); }
inline float polygamma(int n, float x) { return static_cast<float>(polygamma(n, static_cast<double>(x))); }
inline float erfinv(float x) { return static_cast<float>(erfinv(static_cast<double>(x))); }

}  // namespace mxnet
