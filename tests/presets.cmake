# ./run configures a fresh tree without tests, and ./test then finds its targets in the same folder.
cmake_minimum_required(VERSION 3.25)
foreach(wish -DKIN_TESTS=OFF "")
    execute_process(COMMAND ${CMAKE_COMMAND} --preset release -B ${FOLDER} ${wish}
        WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/.. OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${FOLDER} --target help
    OUTPUT_VARIABLE targets COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${FOLDER})
foreach(target unit_tests lab_tests kin_bench)
    if(NOT targets MATCHES "(^|\n)${target}: ")
        message(SEND_ERROR "after ./run, ./test finds no target ${target}")
    endif()
endforeach()
