# How each dependency is found. All of them come from PyPI as build requirements (pyproject.toml);
# a system installation that CMake finds by itself is taken as well.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)

# Eigen: headers only, in the prefix of the cmeel-eigen package.
execute_process(
  COMMAND "${Python_EXECUTABLE}" -c "import cmeel, os; print(os.path.join(os.path.dirname(os.path.dirname(cmeel.__file__)), 'cmeel.prefix'))"
  OUTPUT_VARIABLE MXNET_CMEEL_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
find_package(Eigen3 3.4 CONFIG REQUIRED HINTS "${MXNET_CMEEL_PREFIX}")

# oneDNN: x86_64 only on PyPI; without it every operator has a kernel of our own or Eigen's.
if(MXNET_ONEDNN)
  execute_process(COMMAND "${Python_EXECUTABLE}" -c "import sys; print(sys.prefix)"
    OUTPUT_VARIABLE MXNET_PYTHON_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
  find_package(dnnl 3 CONFIG QUIET HINTS "${MXNET_PYTHON_PREFIX}")
  if(NOT TARGET DNNL::dnnl)
    message(STATUS "oneDNN not found: building on Eigen alone")
  endif()
endif()
