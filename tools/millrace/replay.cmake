# `millrace replay`: what compares is a library of its own for the tests, which bring their own log
# and state backend.
set(MR_REPLAY_SOURCES
  replay_item.c replay_lane.c replay_match.c replay_registry.c replay_report.c replay_verify.c)
list(TRANSFORM MR_REPLAY_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/replay/)
add_library(mr_replay STATIC ${MR_REPLAY_SOURCES})
target_include_directories(mr_replay PUBLIC ${CMAKE_CURRENT_LIST_DIR}/replay ${PROJECT_SOURCE_DIR})
target_link_libraries(mr_replay PUBLIC mr_load PRIVATE mr_warnings PkgConfig::JANSSON Threads::Threads)
