# Topology tests as data: what `millrace topology test` and the tests of the topology play.
set(MR_SUITE_SOURCES compare.c crashes.c diff.c expect.c expect_store.c match.c play.c read.c
                     read_case.c read_record.c report.c value.c)
list(TRANSFORM MR_SUITE_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/suite/)
add_library(mr_suite STATIC ${MR_SUITE_SOURCES})
target_include_directories(mr_suite PUBLIC ${CMAKE_CURRENT_LIST_DIR}/suite
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/topology)
target_link_libraries(mr_suite PUBLIC mr_world mr_domain PkgConfig::JANSSON PRIVATE mr_warnings)
