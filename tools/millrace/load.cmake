# Load and proof: what `millrace load`, `verify`, `tap`, `produce` and `try` are made of.
# A library of its own, so that the tests link it without the command line.
set(MR_LOAD_SOURCES
  load_decimal.c load_drain.c load_feed.c load_fund.c load_malformed.c load_manifest.c load_out.c
  load_plan.c load_probe.c load_run.c load_send.c load_setup.c load_sweep.c load_tape.c load_text.c
  load_watch.c exact_send.c tap_line.c topic_key.c tour_inbox.c tour_play.c tour_report.c tour_send.c verify_book.c verify_books.c
  verify_books_report.c verify_candles.c verify_canonical.c verify_ledger.c verify_map.c
  verify_outcomes.c verify_positions.c verify_report.c verify_run.c verify_sinks.c verify_trades.c)
list(TRANSFORM MR_LOAD_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(mr_load STATIC ${MR_LOAD_SOURCES})
target_include_directories(mr_load PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(mr_load PUBLIC mr_see mr_avro mr_codec mr_log mr_topology
  PRIVATE mr_warnings PkgConfig::JANSSON PkgConfig::ZLIB Threads::Threads)

# What risk would say: rows from the log, the checks from the stage. Its own library for the tests.
add_library(mr_risk_dry STATIC
  ${CMAKE_CURRENT_LIST_DIR}/risk_answer.c ${CMAKE_CURRENT_LIST_DIR}/risk_read.c)
target_include_directories(mr_risk_dry PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(mr_risk_dry PUBLIC mr_load mr_stages mr_order_parts PRIVATE mr_warnings)

# Topics as files: a library of its own for the tests that check what was recorded.
add_library(mr_dump STATIC ${CMAKE_CURRENT_LIST_DIR}/dump.c)
target_link_libraries(mr_dump PUBLIC mr_load mr_cli PRIVATE mr_warnings)

# The commands of the program. Only verify_stores.c knows connectors: it reads their stores back.
add_library(mr_commands STATIC
  ${CMAKE_CURRENT_LIST_DIR}/load.c ${CMAKE_CURRENT_LIST_DIR}/produce.c
  ${CMAKE_CURRENT_LIST_DIR}/risk_check.c
  ${CMAKE_CURRENT_LIST_DIR}/store_command.c ${CMAKE_CURRENT_LIST_DIR}/store_disk.c
  ${CMAKE_CURRENT_LIST_DIR}/store_live.c ${CMAKE_CURRENT_LIST_DIR}/store_source.c
  ${CMAKE_CURRENT_LIST_DIR}/tap.c ${CMAKE_CURRENT_LIST_DIR}/tap_edge.c
  ${CMAKE_CURRENT_LIST_DIR}/top.c ${CMAKE_CURRENT_LIST_DIR}/topology_test.c
  ${CMAKE_CURRENT_LIST_DIR}/tour.c ${CMAKE_CURRENT_LIST_DIR}/trial.c
  ${CMAKE_CURRENT_LIST_DIR}/verify.c ${CMAKE_CURRENT_LIST_DIR}/verify_stores.c)
target_link_libraries(mr_commands
  PUBLIC mr_archive_commands mr_dlq_commands mr_dump mr_load mr_risk_dry mr_suite mr_connect mr_cli mr_log_memory mr_backend_memory
  PRIVATE mr_warnings mr_sink_documentdb mr_sink_redis PkgConfig::JANSSON)
