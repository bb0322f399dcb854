# anabranch_room(NAME [NEEDS room...] [LIBS target...]): a folder of src/ as a static library
# anabranch_NAME of its *.cc, and a test program NAME_test of its *_test.cc. Tests whose name ends
# in _model_test.cc read the real models and go into NAME_model_test, labelled "model"; those in
# _server_test.cc start real servers and go into NAME_server_test, labelled "server".
function(anabranch_room name)
  cmake_parse_arguments(ROOM "" "" "NEEDS;LIBS" ${ARGN})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(model_tests ${tests})
  list(FILTER model_tests INCLUDE REGEX "_model_test\\.cc$")
  set(server_tests ${tests})
  list(FILTER server_tests INCLUDE REGEX "_server_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_(model|server)_test\\.cc$")

  if(NOT sources)
    add_library(anabranch_${name} INTERFACE)
    return()
  endif()
  add_library(anabranch_${name} STATIC ${sources})
  list(TRANSFORM ROOM_NEEDS PREPEND anabranch_)
  target_link_libraries(anabranch_${name} PUBLIC anabranch_options ${ROOM_NEEDS} ${ROOM_LIBS})

  if(NOT ANABRANCH_TESTS)
    return()
  endif()
  foreach(kind IN ITEMS "" "model_" "server_")
    set(files ${${kind}tests})
    if(NOT files)
      continue()
    endif()
    set(program ${name}_${kind}test)
    add_executable(${program} ${files})
    target_link_libraries(${program} PRIVATE anabranch_${name} anabranch_test_support
                          GTest::gtest_main GTest::gmock rapidcheck)
    target_compile_definitions(${program} PRIVATE
      ANABRANCH_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
    # Tests are compiled more often than they run: a third of the time is saved.
    target_compile_options(${program} PRIVATE $<$<CONFIG:Release>:-O1>)
    if(kind STREQUAL "server_")
      # One test of them all: the servers start once.
      add_test(NAME ${name}.server COMMAND ${program})
      set_tests_properties(${name}.server PROPERTIES LABELS server RUN_SERIAL TRUE)
      continue()
    endif()
    set(properties)
    if(kind STREQUAL "model_")
      set(properties PROPERTIES LABELS model RUN_SERIAL TRUE)
    endif()
    gtest_discover_tests(${program} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 ${properties})
  endforeach()
endfunction()
