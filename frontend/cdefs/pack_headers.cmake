# cmake -DOUT=file -DDIR=clang's include folder "-DNAMES=a.h|b.h" -P pack_headers.cmake
# One file of many: per header "NAME SIZE\n", its bytes, "\n".
string(REPLACE "|" ";" names "${NAMES}")
file(WRITE ${OUT} "")
foreach(name IN LISTS names)
  file(SIZE ${DIR}/${name} size)
  file(READ ${DIR}/${name} text)
  file(APPEND ${OUT} "${name} ${size}\n${text}\n")
endforeach()
