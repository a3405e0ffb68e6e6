# The program itself: every command, stage and connector.
if(TARGET mr_connect AND TARGET mr_connectors AND TARGET mr_stages AND TARGET mr_commands)
  add_executable(millrace
    ${CMAKE_CURRENT_LIST_DIR}/catalog.c ${CMAKE_CURRENT_LIST_DIR}/main.c
    ${CMAKE_CURRENT_LIST_DIR}/replay/replay_command.c ${CMAKE_CURRENT_LIST_DIR}/replay/replay_sandbox.c
    ${CMAKE_CURRENT_LIST_DIR}/run.c ${CMAKE_CURRENT_LIST_DIR}/run_process.c
    ${CMAKE_CURRENT_LIST_DIR}/run_report.c
    ${CMAKE_CURRENT_LIST_DIR}/run_lag.c ${CMAKE_CURRENT_LIST_DIR}/run_see.c
    ${CMAKE_CURRENT_LIST_DIR}/run_status.c ${CMAKE_CURRENT_LIST_DIR}/run_tap.c)
  target_link_libraries(millrace PRIVATE mr_cli mr_connect mr_commands mr_replay mr_connectors mr_stages
    mr_backend_rocksdb mr_log_kafka mr_observe mr_avro mr_warnings
    PkgConfig::JANSSON Threads::Threads)
  mr_host_modules(millrace)
  if(MR_JEMALLOC)
    target_sources(millrace PRIVATE ${CMAKE_CURRENT_LIST_DIR}/allocator.c)
    target_link_libraries(millrace PRIVATE PkgConfig::JEMALLOC)
  endif()
endif()
