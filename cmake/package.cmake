# What `cmake --install` and CPack put where. Two parts: `kin`, and `bundle`, which only the tarball
# has: the shared libraries beside glibc and a static busybox, so that nothing needs to be installed.
# DT_RPATH, since libraries that come along must find each other too. No other place: kin may be
# tried in a folder where anybody can put a library, as /tmp.
set_target_properties(kin PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../lib/kin")
target_link_options(kin PRIVATE -Wl,--disable-new-dtags)
install(TARGETS kin RUNTIME_DEPENDENCY_SET kin_libraries RUNTIME DESTINATION bin COMPONENT kin)
install(FILES README.md LICENSE DESTINATION share/doc/kin COMPONENT kin)
# As Debian wants it called.
install(FILES LICENSE DESTINATION share/doc/kin RENAME copyright COMPONENT kin)
install(DIRECTORY examples DESTINATION share/doc/kin COMPONENT kin)

# install_completion(SHELL FOLDER FILE)
function(install_completion shell folder file)
    set(made ${PROJECT_BINARY_DIR}/completion.${shell})
    install(CODE "
        execute_process(COMMAND \"$<TARGET_FILE:kin>\" completion ${shell}
            OUTPUT_FILE \"${made}\" COMMAND_ERROR_IS_FATAL ANY)" COMPONENT kin)
    install(FILES ${made} DESTINATION ${folder} RENAME ${file} COMPONENT kin)
endfunction()
install_completion(bash share/bash-completion/completions kin)
install_completion(zsh share/zsh/vendor-completions _kin)
install_completion(fish share/fish/vendor_completions.d kin.fish)

# The loader and what it brings must be the host's own.
install(RUNTIME_DEPENDENCY_SET kin_libraries COMPONENT bundle DESTINATION lib/kin
    PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv)\\.so")
find_program(KIN_BUSYBOX busybox)
if(KIN_BUSYBOX)
    install(PROGRAMS ${KIN_BUSYBOX} DESTINATION lib/kin COMPONENT bundle)
endif()
# Whose they are: Debian's copyright file of each package that a bundled file is of.
install(CODE "
    file(GLOB files \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/kin/*\")
    foreach(file \${files})
        get_filename_component(name \${file} NAME)
        execute_process(COMMAND dpkg-query -S \"*/${CMAKE_LIBRARY_ARCHITECTURE}/\${name}\" \"*/bin/\${name}\" OUTPUT_VARIABLE owner ERROR_QUIET)
        if(owner MATCHES \"^([a-z0-9.+-]+)[:a-z0-9]*: \")
            file(INSTALL \"/usr/share/doc/\${CMAKE_MATCH_1}/copyright\"
                DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/doc/kin/bundled\" RENAME \${CMAKE_MATCH_1})
        else()
            message(FATAL_ERROR \"\${file} is of no package: under which licence is it?\")
        endif()
    endforeach()" COMPONENT bundle)

set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_NAME kin)
set(CPACK_PACKAGE_VENDOR kin)
set(CPACK_PACKAGE_CONTACT "The authors of kin <kin@kin.internal>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Kubernetes networking lab in namespaces of one machine")
set(CPACK_PACKAGE_DESCRIPTION "An API server that kubectl talks to, nodes and pods that are real
network namespaces, and Services, DNS, Ingress and NetworkPolicy on the real kernel; no container
images, no virtual machine, no root.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "busybox-static")
# What `kin doctor` calls useful, and why.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "nftables, iproute2, iputils-ping, netbase, curl, uidmap, \
bind9-dnsutils, conntrack, openssl, tcpdump")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, qemu-system-x86")
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_parts.cmake)
include(CPack)
