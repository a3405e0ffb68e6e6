# A text file as a C array that a zero byte ends: cmake -DINPUT=page.html -DOUTPUT=page_html.c -DNAME=page_html -P embed.cmake
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE ${OUTPUT} "/* Made from ${INPUT}. */
extern const unsigned char ${NAME}[];
const unsigned char ${NAME}[] = {
${hex}0x00};
")
