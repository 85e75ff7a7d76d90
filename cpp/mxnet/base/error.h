// Errors: one exception type whose kind chooses the Python class, and `str` that builds its sentence.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace mxnet {

// Which Python builtin an Error also is. Every Error is an MXNetError in Python.
enum class ErrorKind { runtime, value, type, index, key, memory, not_implemented, os };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Joins anything that has operator<< into one string.
template <class... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

// Throws an Error; the message form is "operator: what was got, what is allowed".
template <class... Parts>
[[noreturn]] [[gnu::cold]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, str(parts...));
}

// The two commonest kinds, by name.
template <class... Parts>
[[noreturn]] [[gnu::cold]] void value_error(const Parts&... parts) {
  fail(ErrorKind::value, parts...);
}
template <class... Parts>
[[noreturn]] [[gnu::cold]] void type_error(const Parts&... parts) {
  fail(ErrorKind::type, parts...);
}

}  // namespace mxnet
