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

# They run the program on the real models and read what it prints.
file(GLOB e2e_tests CONFIGURE_DEPENDS tests/e2e/*_test.py)
foreach(path IN LISTS e2e_tests)
  get_filename_component(name ${path} NAME_WE)
  anabranch_python_test(e2e.${name} tests/e2e/${name}.py)
  set_tests_properties(e2e.${name} PROPERTIES LABELS model RUN_SERIAL TRUE)
endforeach()
