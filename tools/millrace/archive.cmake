# mr_archive: topics to and from Avro object container files; its commands apart, because the tests
# need no servers.
set(MR_ARCHIVE_SOURCES
  archive_entry.c archive_export.c archive_file.c archive_import.c archive_manifest.c
  archive_open.c archive_partition.c archive_paths.c archive_position.c archive_progress.c
  archive_range.c archive_send.c archive_shape.c ocf_read.c ocf_write.c)
list(TRANSFORM MR_ARCHIVE_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/archive/)
add_library(mr_archive STATIC ${MR_ARCHIVE_SOURCES})
target_include_directories(mr_archive PUBLIC ${CMAKE_CURRENT_LIST_DIR}/archive)
target_link_libraries(mr_archive PUBLIC mr_load mr_cli
  PRIVATE mr_warnings PkgConfig::ZLIB PkgConfig::JANSSON)

add_library(mr_archive_commands STATIC
  ${CMAKE_CURRENT_LIST_DIR}/archive/export_command.c
  ${CMAKE_CURRENT_LIST_DIR}/archive/import_command.c)
target_link_libraries(mr_archive_commands PUBLIC mr_archive mr_tool_env PRIVATE mr_warnings)

# What these commands and those of dlq.cmake begin with.
add_library(mr_tool_env STATIC ${CMAKE_CURRENT_LIST_DIR}/tool_env.c)
target_link_libraries(mr_tool_env PUBLIC mr_load mr_connect PRIVATE mr_warnings)
