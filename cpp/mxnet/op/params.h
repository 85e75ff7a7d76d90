// Typed operator parameters: a plain struct whose `fields()` yields parsing, defaults, text, docs.
#pragma once
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "mxnet/base/ref.h"
#include "mxnet/op/value.h"

namespace mxnet {

template <class P, class T>
struct Field {
  const char* name;
  T P::* member;
  const char* doc;
  bool is_required = false;

  constexpr Field required() const { return {name, member, doc, true}; }
};

// One entry of `static constexpr auto fields() { return std::tuple{field("axis", &P::axis, "..."), ...}; }`.
template <class P, class T>
constexpr Field<P, T> field(const char* name, T P::* member, const char* doc) {
  return {name, member, doc};
}

// For operators without parameters.
struct NoParams {
  static constexpr auto fields() { return std::tuple{}; }
};

// A parameter struct behind a reference count, its type known to the operator only.
class ParamsBox : public RefCounted {
 public:
  virtual void* data() = 0;
  const void* data() const { return const_cast<ParamsBox*>(this)->data(); }
};
using ParamsRef = Ref<ParamsBox>;

template <class P>
class TypedParams : public ParamsBox {
 public:
  TypedParams() = default;
  explicit TypedParams(P value) : value_(std::move(value)) {}
  void* data() override { return &value_; }

 private:
  P value_;
};

template <class P>
ParamsRef make_params(P value) {
  return make_ref<TypedParams<P>>(std::move(value));
}

// Parameters of any name, kept as text: what an operator defined elsewhere (Custom) is given.
using FreeParams = std::vector<std::pair<std::string, std::string>>;

// A field with its type erased.
struct FieldSpec {
  std::string name;
  std::string type;  // "int", "Shape(tuple)", "{'valid', 'full'}"
  std::string doc;
  std::string what;  // "softmax: axis", the subject of its error messages
  bool required = false;
  Value default_value;
  std::function<void(void* params, const Value& value, const std::string& what)> set;
  std::function<Value(const void* params)> get;
};

template <class P>
std::vector<FieldSpec> field_specs() {
  std::vector<FieldSpec> specs;
  P defaults;
  auto add = [&]<class T>(const Field<P, T>& f) {
    auto member = f.member;
    specs.push_back(
        {f.name,
         FieldType<T>::name(),
         f.doc,
         {},
         f.is_required,
         f.is_required ? Value() : FieldType<T>::to(defaults.*member),
         [member](void* params, const Value& value, const std::string& what) {
           static_cast<P*>(params)->*member = FieldType<T>::from(value, what);
         },
         [member](const void* params) { return FieldType<T>::to(static_cast<const P*>(params)->*member); }});
  };
  std::apply([&](const auto&... f) { (add(f), ...); }, P::fields());
  return specs;
}

}  // namespace mxnet
