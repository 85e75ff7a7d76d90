// What the binding files share about symbols.
#pragma once
#include "mxnet/graph/symbol.h"

#include "python.h"

namespace mxnet::python {

// The Python object of a C type: a Symbol, subclassed in Python.
struct SymbolObject {
  PyObject_HEAD Symbol symbol;
};
extern PyTypeObject* symbol_base_type;
inline bool is_symbol(PyObject* object) { return PyObject_TypeCheck(object, symbol_base_type); }
inline Symbol& symbol_of(PyObject* object) { return reinterpret_cast<SymbolObject*>(object)->symbol; }
const Symbol& symbol_argument(PyObject* object, const char* what);
PyObject* wrap_symbol(Symbol symbol, const char* space = "sym");  // in the class of the space

// Where the symbol that is made now comes from.
Origin current_origin();
// Attributes from a dict of text (or None), with those of the scopes in force.
Attributes scoped_attributes(PyObject* attr, const std::string& what);
// `name` or, where it is None, the next one made of `hint`; as the name manager in force says.
std::string scoped_name(PyObject* name, const std::string& hint);

}  // namespace mxnet::python
