# The two shapes of target that kin is made of.
include(GoogleTest)

# kin_library(core/store SOURCES store.cpp ... LINK kin::core_api ...)
# A static library named after its folder: core/store -> target kin_core_store, alias kin::core_store.
function(kin_library folder)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
    string(REPLACE "/" "_" name ${folder})
    if(ARG_SOURCES)
        add_library(kin_${name} STATIC ${ARG_SOURCES})
        target_include_directories(kin_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
        target_link_libraries(kin_${name} PUBLIC ${ARG_LINK})
        kin_precompiled(kin_${name})
    else()
        add_library(kin_${name} INTERFACE)
        target_include_directories(kin_${name} INTERFACE ${PROJECT_SOURCE_DIR})
        target_link_libraries(kin_${name} INTERFACE ${ARG_LINK})
    endif()
    add_library(kin::${name} ALIAS kin_${name})
endfunction()

# One precompiled header (system headers only) shared by all targets.
function(kin_precompiled target)
    if(TARGET kin_precompiled_header)
        target_precompile_headers(${target} REUSE_FROM kin_precompiled_header)
    endif()
endfunction()

# kin_test(core/store SOURCES store_test.cpp ... LINK kin::core_store [LABELS lab])
# One GoogleTest program per folder and label. A unit program is one ctest, since starting a process
# per TEST costs more than the tests; of the others every TEST is a ctest of its own.
# The targets unit_tests and lab_tests build all programs of that label and nothing else: ./test
# builds the one set with sanitizers and the other for release.
function(kin_test folder)
    cmake_parse_arguments(ARG "" "LABELS" "SOURCES;LINK;ARGS" ${ARGN})
    if(NOT ARG_LABELS)
        set(ARG_LABELS unit)
    endif()
    string(REPLACE "/" "_" name ${folder})
    set(target test_${name}_${ARG_LABELS})
    add_executable(${target} ${ARG_SOURCES})
    target_link_libraries(${target} PRIVATE ${ARG_LINK} kin_test_support GTest::gmock_main)
    kin_precompiled(${target})
    add_dependencies(${ARG_LABELS}_tests ${target})
    if(ARG_LABELS STREQUAL unit)
        add_test(NAME ${folder} COMMAND ${target} --gtest_brief=1
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${folder} PROPERTIES LABELS unit TIMEOUT 300)
    else()
        gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
            PROPERTIES LABELS ${ARG_LABELS} TIMEOUT 300)
    endif()
endfunction()

# kin_embed(target NAME text FILE schema/core.schema): the file's bytes as a string_view
# kin::embedded::NAME, declared in <generated/embedded/NAME.h>.
function(kin_embed target)
    cmake_parse_arguments(ARG "" "NAME;FILE" "" ${ARGN})
    set(header ${PROJECT_BINARY_DIR}/generated/embedded/${ARG_NAME}.h)
    set(source ${PROJECT_BINARY_DIR}/generated/embedded/${ARG_NAME}.c)
    get_filename_component(file ${ARG_FILE} ABSOLUTE)
    file(WRITE ${header}.new "#pragma once\n#include <string_view>\n\nextern \"C\" const char kin_embedded_${ARG_NAME}[];\nextern \"C\" const char kin_embedded_${ARG_NAME}_end[];\n\nnamespace kin::embedded {\n/// The bytes of ${ARG_FILE}.\ninline std::string_view ${ARG_NAME}() {\n    return {kin_embedded_${ARG_NAME}, static_cast<size_t>(kin_embedded_${ARG_NAME}_end - kin_embedded_${ARG_NAME})};\n}\n}  // namespace kin::embedded\n")
    file(COPY_FILE ${header}.new ${header} ONLY_IF_DIFFERENT)
    file(WRITE ${source}.new "__asm__(\"    .section .rodata\\n\"\n\"    .global kin_embedded_${ARG_NAME}\\n\"\n\"    .global kin_embedded_${ARG_NAME}_end\\n\"\n\"kin_embedded_${ARG_NAME}:\\n\"\n\"    .incbin \\\"${file}\\\"\\n\"\n\"kin_embedded_${ARG_NAME}_end:\\n\"\n\"    .byte 0\\n\"\n\"    .text\\n\");\n")
    file(COPY_FILE ${source}.new ${source} ONLY_IF_DIFFERENT)
    set_source_files_properties(${source} PROPERTIES LANGUAGE C OBJECT_DEPENDS ${file} SKIP_PRECOMPILE_HEADERS ON)
    target_sources(${target} PRIVATE ${source})
endfunction()
