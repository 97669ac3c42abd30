# btc_embed(TARGET SYMBOL FILE): adds FILE's bytes to TARGET as `extern "C" const char SYMBOL[], SYMBOL_end[]`.
function(btc_embed target symbol file)
  set(asm ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  file(GENERATE OUTPUT ${asm} CONTENT
"    .section .rodata
    .global ${symbol}
    .global ${symbol}_end
    .balign 16
${symbol}:
    .incbin \"${file}\"
${symbol}_end:
    .byte 0
    .section .note.GNU-stack,\"\",%progbits
")
  set_source_files_properties(${asm} PROPERTIES GENERATED TRUE OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${asm})
endfunction()
