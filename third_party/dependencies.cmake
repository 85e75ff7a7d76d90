# How each dependency is found. All of them come from PyPI as build requirements (pyproject.toml), so they
# are looked up through the interpreter; a system installation that CMake finds by itself is taken as well.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

function(mxnet_ask_python result expression)
  execute_process(COMMAND "${Python_EXECUTABLE}" -c "import os, sys\n${expression}"
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(${result} "${answer}" PARENT_SCOPE)
endfunction()

if(MXNET_PYTHON)
  find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
  mxnet_ask_python(pybind11_hint "import pybind11; print(pybind11.get_cmake_dir())")
  find_package(pybind11 3 CONFIG REQUIRED HINTS "${pybind11_hint}")
else()
  find_package(Python REQUIRED COMPONENTS Interpreter)
endif()

# Eigen: headers only, in the prefix of the cmeel-eigen package. Our own threads do the parallel work.
mxnet_ask_python(eigen_hint
  "import cmeel; print(os.path.join(os.path.dirname(os.path.dirname(cmeel.__file__)), 'cmeel.prefix'))")
find_package(Eigen3 3.4 CONFIG REQUIRED HINTS "${eigen_hint}")

# oneDNN: x86_64 only on PyPI; without it every operator has a kernel of our own or Eigen's.
if(MXNET_ONEDNN)
  mxnet_ask_python(onednn_hint "print(sys.prefix)")
  find_package(dnnl 3 CONFIG QUIET HINTS "${onednn_hint}")
  if(TARGET DNNL::dnnl)
    message(STATUS "oneDNN ${dnnl_VERSION}: ${dnnl_DIR}")
  else()
    message(STATUS "oneDNN not found: building on Eigen alone")
  endif()
endif()
