/* CRC-32 as in zlib, gzip and Ethernet: polynomial 0x04c11db7, bits reflected, register inverted before and after.
 *
 * All paths give the same value for the same bytes. `crc` is the value of the bytes so far, 0 at the start, so a
 * checksum over several pieces is crc = path(crc, piece, size) for one after the other.
 */
#ifndef ASRPROTO_CRC32_H
#define ASRPROTO_CRC32_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t (*asrproto_crc32_fn)(uint32_t crc, const uint8_t *data, size_t size);

typedef struct {
    const char *name;
    int level;    /* the level of cpu.h that allows it when one is forced */
    int features; /* the feature bits of cpu.h that it needs */
    asrproto_crc32_fn run;
} asrproto_crc32_path;

/* From the slowest to the fastest; the last one's name is NULL. */
extern const asrproto_crc32_path asrproto_crc32_paths[];

/* Fill the tables. Called once by each module that links this file, while it is imported. */
void asrproto_crc32_init(void);

#endif
