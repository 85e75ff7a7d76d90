# CPU kernels are compiled once per instruction-set level and sealed: each level's objects are linked
# into one relocatable object whose symbols are then made local, so that no inline function compiled for
# a newer CPU can be picked by the linker for code that runs on an older one. The kernels register
# themselves; the registry takes the best level the CPU has (base/cpu.h). Sealing gives every level its
# own copy of the state in inline functions (function-local statics, inline variables): a header that
# kernels share keeps its state in a .cc file.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT MXNET_SANITIZE)
  set(MXNET_ISA_LEVELS 2 3 4 CACHE STRING "x86-64 levels to compile kernels for, or 'native' for this machine alone")
else()
  set(MXNET_ISA_LEVELS 0)  # the compiler's own baseline
endif()
find_program(MXNET_OBJCOPY NAMES objcopy REQUIRED)

function(mxnet_isa_kernels target)
  foreach(level IN LISTS MXNET_ISA_LEVELS)
    set(objects mxnet_kernels_${level})
    add_library(${objects} OBJECT ${ARGN})
    target_link_libraries(${objects} PRIVATE mxnet_flags Eigen3::Eigen)
    target_compile_options(${objects} PRIVATE -O3 -fopenmp-simd -fno-signed-zeros -ffp-contract=fast)
    if(level STREQUAL "0" OR level STREQUAL "native")
      if(level STREQUAL "native")
        target_compile_options(${objects} PRIVATE -march=native)
      endif()
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
      continue()
    endif()
    target_compile_definitions(${objects} PRIVATE MXNET_ISA_LEVEL=${level})
    # Unique symbols would stay global through objcopy and clash between the levels.
    target_compile_options(${objects} PRIVATE -march=x86-64-v${level} -fno-gnu-unique)
    if(level EQUAL 4)
      target_compile_options(${objects} PRIVATE -mprefer-vector-width=512)
    endif()
    set(sealed ${CMAKE_CURRENT_BINARY_DIR}/${objects}.o)
    add_custom_command(OUTPUT ${sealed}
      COMMAND ${CMAKE_LINKER} -r --force-group-allocation -o ${sealed}.tmp "$<TARGET_OBJECTS:${objects}>"
      COMMAND ${MXNET_OBJCOPY} --wildcard --localize-symbol=* ${sealed}.tmp ${sealed}
      COMMAND ${CMAKE_COMMAND} -E rm ${sealed}.tmp
      DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
      COMMAND_EXPAND_LISTS VERBATIM)
    target_sources(${target} PRIVATE ${sealed})
    set_source_files_properties(${sealed} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  endforeach()
endfunction()
