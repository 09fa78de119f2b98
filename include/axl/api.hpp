// What the shared library exports: whatever is marked here and nothing else, for it is built with hidden visibility.
//
// A class is marked when it has members that are not inline; structs of plain values need no mark.
#pragma once

#if defined(__GNUC__)
#define AXL_API __attribute__((visibility("default")))
#else
#define AXL_API
#endif
