// Value: a parameter on its way between Python, symbol.json, C++ callers and the typed fields of an operator.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mxnet/base/dtype.h"
#include "mxnet/base/shape.h"

namespace mxnet {

struct Value {
  using List = std::vector<Value>;
  std::variant<std::monostate, bool, int64_t, double, std::string, List> v;

  Value() = default;  // None
  Value(std::nullopt_t) {}
  Value(bool x) : v(x) {}
  Value(int x) : v(static_cast<int64_t>(x)) {}
  Value(int64_t x) : v(x) {}
  Value(double x) : v(x) {}
  Value(const char* x) : v(std::string(x)) {}
  Value(std::string x) : v(std::move(x)) {}
  Value(std::string_view x) : v(std::string(x)) {}
  Value(List x) : v(std::move(x)) {}
  Value(DType x) : v(std::string(name_of(x))) {}
  Value(const Shape& shape);

  bool none() const { return std::holds_alternative<std::monostate>(v); }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&v);
  }
  bool operator==(const Value&) const = default;
};

// Python's spelling: None, True, 3, 0.5, (1, 2), text without quotes at top level.
std::string to_text(const Value& value);
// The reverse; what is no Python literal stays a string.
Value parse_text(std::string_view text);

// Converts a Value to the type of a field; raises type_error("... must be an int, got 'abc'") with
// `what` ("softmax: axis") in front.
template <class T>
struct FieldType;  // static T from(const Value&, const std::string& what); static Value to(const T&); static name()

[[noreturn]] void bad_field(const std::string& what, std::string_view wanted, const Value& got);

template <>
struct FieldType<bool> {
  static bool from(const Value& value, const std::string& what);
  static Value to(bool x) { return x; }
  static std::string name() { return "boolean"; }
};
template <>
struct FieldType<int64_t> {
  static int64_t from(const Value& value, const std::string& what);
  static Value to(int64_t x) { return x; }
  static std::string name() { return "int"; }
};
template <>
struct FieldType<int> {
  static int from(const Value& value, const std::string& what) {
    int64_t x = FieldType<int64_t>::from(value, what);
    if (x != static_cast<int>(x)) bad_field(what, "an int of 32 bits", value);
    return static_cast<int>(x);
  }
  static Value to(int x) { return x; }
  static std::string name() { return "int"; }
};
template <>
struct FieldType<double> {
  static double from(const Value& value, const std::string& what);
  static Value to(double x) { return x; }
  static std::string name() { return "double"; }
};
template <>
struct FieldType<float> {
  static float from(const Value& value, const std::string& what) {
    return static_cast<float>(FieldType<double>::from(value, what));
  }
  static Value to(float x);  // the double with the fewest digits that is this float
  static std::string name() { return "float"; }
};
template <>
struct FieldType<std::string> {
  static std::string from(const Value& value, const std::string& what);
  static Value to(const std::string& x) { return x; }
  static std::string name() { return "string"; }
};
template <>
struct FieldType<DType> {
  static DType from(const Value& value, const std::string& what);
  static Value to(DType x) { return x == DType::unknown ? Value() : Value(x); }
  static std::string name() { return "dtype"; }
};
// A tuple of ints; a lone int counts as a tuple of one.
template <>
struct FieldType<Shape> {
  static Shape from(const Value& value, const std::string& what);
  static Value to(const Shape& x) { return x; }
  static std::string name() { return "Shape(tuple)"; }
};
template <class T>
struct FieldType<std::optional<T>> {
  static std::optional<T> from(const Value& value, const std::string& what) {
    const std::string* text = value.get<std::string>();
    if (value.none() || (text && *text == "None")) return std::nullopt;
    return FieldType<T>::from(value, what);
  }
  static Value to(const std::optional<T>& x) { return x ? FieldType<T>::to(*x) : Value(); }
  static std::string name() { return FieldType<T>::name() + " or None"; }
};
template <class T>
struct FieldType<std::vector<T>> {
  static std::vector<T> from(const Value& value, const std::string& what) {
    if (const std::string* text = value.get<std::string>()) {
      Value parsed = parse_text(*text);
      if (!parsed.get<std::string>()) return from(parsed, what);
    }
    std::vector<T> items;
    if (const Value::List* list = value.get<Value::List>()) {
      for (const Value& item : *list) items.push_back(FieldType<T>::from(item, what));
    } else {
      items.push_back(FieldType<T>::from(value, what));
    }
    return items;
  }
  static Value to(const std::vector<T>& x) {
    Value::List list;
    for (const T& item : x) list.push_back(FieldType<T>::to(item));
    return list;
  }
  static std::string name() { return "tuple of <" + FieldType<T>::name() + ">"; }
};

// An enum class takes part once `constexpr std::array<std::pair<Enum, std::string_view>, N> names_of(Enum)`
// is found by argument-dependent lookup.
template <class E>
  requires std::is_enum_v<E>
struct FieldType<E> {
  static E from(const Value& value, const std::string& what) {
    std::string allowed;
    for (auto& [item, name] : names_of(E{})) {
      if (const std::string* text = value.get<std::string>(); text && *text == name) return item;
      allowed += (allowed.empty() ? "one of '" : ", '") + std::string(name) + "'";
    }
    bad_field(what, allowed, value);
  }
  static Value to(E x) {
    for (auto& [item, name] : names_of(x))
      if (item == x) return name;
    return {};
  }
  static std::string name() {
    std::string text = "{";
    for (auto& [item, name] : names_of(E{})) text += (text.size() > 1 ? ", '" : "'") + std::string(name) + "'";
    return text + "}";
  }
};

}  // namespace mxnet
