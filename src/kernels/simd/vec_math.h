// exp, tanh and the activations on vectors of floats.
#pragma once

#include "kernels/simd/common.h"

namespace anabranch {
namespace {

// Within 2 ulp; exactly 0 below kMinExp, -infinity included.
inline VecF Exp(VecF x) {
  // exp(x) = 2^n exp(r), r = x - n ln 2 in two parts; a Taylor polynomial suffices for |r| < 0.347.
  x = Min(Max(x, Set1(kMinExp)), Set1(kMaxExp));
  const VecF n = RoundNearest(Mul(x, Set1(1.44269504088896341f)));
  VecF r = Fma(n, Set1(-0.693359375f), x);
  r = Fma(n, Set1(2.12194440e-4f), r);
  VecF p = Set1(1.0f / 5040);
  p = Fma(p, r, Set1(1.0f / 720));
  p = Fma(p, r, Set1(1.0f / 120));
  p = Fma(p, r, Set1(1.0f / 24));
  p = Fma(p, r, Set1(1.0f / 6));
  p = Fma(p, r, Set1(0.5f));
  p = Fma(p, r, Set1(1.0f));
  p = Fma(p, r, Set1(1.0f));
  return ScaleByPowerOf2(p, n);
}

// 1 - 2 / (exp(2x) + 1): absolute error below 2e-7.
inline VecF Tanh(VecF x) {
  const VecF e = Exp(Add(x, x));
  return Sub(Set1(1.0f), Div(Set1(2.0f), Add(e, Set1(1.0f))));
}

// Abramowitz and Stegun 7.1.26: absolute error below 2e-7.
inline VecF Erf(VecF x) {
  const VecF a = Abs(x);
  const VecF t = Div(Set1(1.0f), Fma(a, Set1(0.3275911f), Set1(1.0f)));
  VecF p = Set1(1.061405429f);
  p = Fma(p, t, Set1(-1.453152027f));
  p = Fma(p, t, Set1(1.421413741f));
  p = Fma(p, t, Set1(-0.284496736f));
  p = Fma(p, t, Set1(0.254829592f));
  const VecF tail = Mul(Mul(p, t), Exp(Sub(Zero(), Mul(a, a))));
  return CopySign(Sub(Set1(1.0f), tail), x);
}

inline VecF Activate(Activation activation, VecF x) {
  switch (activation) {
    case Activation::kSilu:
      return Div(x, Add(Set1(1.0f), Exp(Sub(Zero(), x))));
    case Activation::kGelu:
      return Mul(Mul(Set1(0.5f), x), Add(Set1(1.0f), Erf(Mul(x, Set1(0.70710678118654752f)))));
    case Activation::kGeluTanh: {
      const VecF cubic = Fma(Mul(Mul(x, x), x), Set1(0.044715f), x);
      const VecF t = Tanh(Mul(cubic, Set1(0.79788456080286536f)));
      return Mul(Mul(Set1(0.5f), x), Add(Set1(1.0f), t));
    }
  }
  return x;
}

}  // namespace
}  // namespace anabranch
