# Where the built files lie: in the build tree, an importable package at <build>/python; installed, the
# shared libraries, headers and CMake package inside the Python package.
set(package ${CMAKE_BINARY_DIR}/python/mxnet)
set_target_properties(mxnet PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${package}/lib)
install(TARGETS mxnet LIBRARY DESTINATION mxnet/lib)

if(TARGET _core)
  set_target_properties(_core PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${package} INSTALL_RPATH "$ORIGIN/lib")
  install(TARGETS _core LIBRARY DESTINATION mxnet)
  # PYTHONPATH=<build>/python imports the sources themselves beside the modules built here.
  file(MAKE_DIRECTORY ${package})
  file(GLOB entries CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/python/mxnet
    ${PROJECT_SOURCE_DIR}/python/mxnet/*)
  foreach(entry IN LISTS entries)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/python/mxnet/${entry} ${package}/${entry} SYMBOLIC)
  endforeach()
endif()

# Type stubs of the operators, written from the registry of what was just built. Nothing reads them at run time.
if(TARGET _core AND NOT CMAKE_CROSSCOMPILING)
  install(CODE "execute_process(
    COMMAND \${CMAKE_COMMAND} -E env --modify PYTHONPATH=path_list_prepend:${CMAKE_BINARY_DIR}/python
            ${Python_EXECUTABLE} -m mxnet._stubs \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/mxnet\"
    COMMAND_ERROR_IS_FATAL ANY)")
endif()

if(TARGET mxnet_cuda)
  set_target_properties(mxnet_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${package}/lib)
  install(TARGETS mxnet_cuda LIBRARY DESTINATION mxnet/lib)
endif()

# oneDNN travels with the library: one known build, a quarter smaller without its symbol table.
if(TARGET DNNL::dnnl)
  get_target_property(location DNNL::dnnl IMPORTED_LOCATION_RELEASE)
  get_target_property(soname DNNL::dnnl IMPORTED_SONAME_RELEASE)
  file(REAL_PATH "${location}" location)
  install(FILES ${location} DESTINATION mxnet/lib RENAME ${soname})
  install(CODE "execute_process(COMMAND ${CMAKE_STRIP} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/mxnet/lib/${soname}\")")
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/mxnet DESTINATION mxnet/include 
  FILES_MATCHING PATTERN "*.h" PATTERN "cuda" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/mxnet-config.cmake DESTINATION mxnet/lib/cmake/mxnet)
