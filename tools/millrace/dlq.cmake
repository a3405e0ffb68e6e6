# mr_dlq: dead letters read, shown and sent back; its commands apart, because the tests need no
# servers.
add_library(mr_dlq STATIC
  ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_letter.c ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_list.c
  ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_marks.c ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_place.c
  ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_replay.c ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_show.c
  ${CMAKE_CURRENT_LIST_DIR}/dlq/dlq_source.c)
target_include_directories(mr_dlq PUBLIC ${CMAKE_CURRENT_LIST_DIR}/dlq)
target_link_libraries(mr_dlq PUBLIC mr_load mr_cli PRIVATE mr_warnings PkgConfig::JANSSON)

add_library(mr_dlq_commands STATIC
  ${CMAKE_CURRENT_LIST_DIR}/dlq/list_command.c ${CMAKE_CURRENT_LIST_DIR}/dlq/replay_command.c
  ${CMAKE_CURRENT_LIST_DIR}/dlq/show_command.c)
target_link_libraries(mr_dlq_commands PUBLIC mr_dlq mr_tool_env PRIVATE mr_warnings)
