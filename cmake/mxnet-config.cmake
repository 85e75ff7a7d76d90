# find_package(mxnet) for C++ programs; point CMAKE_PREFIX_PATH at the directory of the Python package.
get_filename_component(_mxnet_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET mxnet::mxnet)
  add_library(mxnet::mxnet SHARED IMPORTED)
  set_target_properties(mxnet::mxnet PROPERTIES
    IMPORTED_LOCATION "${_mxnet_root}/lib/libmxnet.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_mxnet_root}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20)
endif()
unset(_mxnet_root)
