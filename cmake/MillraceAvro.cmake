# mr_avro: the codec generated from schemas/avro. Link it and include "avro/order_command.h".
#
# The list of generated files is asked from the generator when CMake runs; a changed schema or
# generator runs CMake again, so a new file is never missed.
set(MR_SCHEMA_DIR ${PROJECT_SOURCE_DIR}/schemas/avro CACHE PATH
  "Where the schemas are; another directory builds the program of another version of them")
file(GLOB MR_AVRO_SCHEMAS CONFIGURE_DEPENDS
  ${MR_SCHEMA_DIR}/*.avsc ${MR_SCHEMA_DIR}/state/*.avsc ${MR_SCHEMA_DIR}/runtime/*.avsc)
set(MR_AVROGEN ${PROJECT_SOURCE_DIR}/tools/avrogen)
set(MR_AVROGEN_SOURCES ${MR_AVROGEN}/__main__.py ${MR_AVROGEN}/model.py ${MR_AVROGEN}/emit.py)
set(MR_AVRO_DIR ${PROJECT_BINARY_DIR}/generated/avro)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${MR_AVRO_SCHEMAS} ${MR_AVROGEN_SOURCES})

# -B: no byte code is left in the source tree.
execute_process(
  COMMAND ${Python3_EXECUTABLE} -B ${MR_AVROGEN} --list ${MR_AVRO_DIR} ${MR_AVRO_SCHEMAS}
  OUTPUT_VARIABLE MR_AVRO_FILES OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" MR_AVRO_FILES "${MR_AVRO_FILES}")

add_custom_command(
  OUTPUT ${MR_AVRO_DIR}/avrogen.stamp
  BYPRODUCTS ${MR_AVRO_FILES}
  COMMAND ${Python3_EXECUTABLE} -B ${MR_AVROGEN} ${MR_AVRO_DIR} ${MR_AVRO_SCHEMAS}
  COMMAND ${CMAKE_COMMAND} -E touch ${MR_AVRO_DIR}/avrogen.stamp
  DEPENDS ${MR_AVRO_SCHEMAS} ${MR_AVROGEN_SOURCES}
  COMMENT "Generating the Avro codec" VERBATIM)

add_custom_target(mr_avro_generate DEPENDS ${MR_AVRO_DIR}/avrogen.stamp)
set_source_files_properties(${MR_AVRO_FILES} PROPERTIES GENERATED TRUE)

add_library(mr_avro STATIC ${MR_AVRO_FILES})
add_dependencies(mr_avro mr_avro_generate)
target_include_directories(mr_avro PUBLIC ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(mr_avro PUBLIC mr_wire PRIVATE mr_warnings)
