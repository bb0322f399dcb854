# Tests of the project as a whole, beside the rooms' own: its rules, and the program on real models.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

# anabranch_python_test(NAME SCRIPT [args...])
function(anabranch_python_test name script)
  add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN}
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "ANABRANCH=$<TARGET_FILE:anabranch_program>;ANABRANCH_BUILD=${CMAKE_BINARY_DIR}")
endfunction()

anabranch_python_test(project.format tools/check_format.py)
anabranch_python_test(project.layers tools/check_layers.py)
anabranch_python_test(project.layers_check tools/check_layers_test.py)
anabranch_python_test(project.kernel_symbols_check tools/check_kernel_symbols_test.py)
anabranch_python_test(project.conversations eval/make_conversations_test.py)
anabranch_python_test(project.kernel_symbols tools/check_kernel_symbols.py
                      $<TARGET_FILE:anabranch_kernels>)

# On CPUs that this machine is not: an emulator stops at an instruction that they lack. One of 2008
# has the reference alone, one of 2013 AVX2.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT ANABRANCH_SANITIZE)
  find_program(QEMU_X86_64 qemu-x86_64 REQUIRED)
  function(anabranch_emulated_test name cpu program)
    add_test(NAME project.${name} COMMAND ${QEMU_X86_64} -cpu ${cpu} $<TARGET_FILE:${program}> ${ARGN})
  endfunction()
  anabranch_emulated_test(cpu_2008_kernels Nehalem kernels_test)
  anabranch_emulated_test(cpu_2008_engine Nehalem engine_test
                          --gtest_filter=EngineTest.Recalls*:EngineTest.PerplexityIs*)
  # Every op once; the longer tests run here as well as there.
  anabranch_emulated_test(cpu_2013_kernels Haswell kernels_test
    --gtest_filter=*avx2_threads1:-*ProductsOfEvery*:*GatedIs*:*TableAttend*)
endif()

# They run the program on the real models and read what it prints.
file(GLOB e2e_tests CONFIGURE_DEPENDS tests/e2e/*_test.py)
foreach(path IN LISTS e2e_tests)
  get_filename_component(name ${path} NAME_WE)
  anabranch_python_test(e2e.${name} tests/e2e/${name}.py)
  set_tests_properties(e2e.${name} PROPERTIES LABELS model RUN_SERIAL TRUE)
endforeach()
