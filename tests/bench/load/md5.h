/* MD5 (RFC 1321) of exactly 16 bytes, which is all that draft76's challenge needs. */
#pragma once
#include <stdint.h>

void md5_of_16(const uint8_t input[16], uint8_t digest[16]);
