/* values.h - how the values of options are written: durations, sizes, shares.
 * Pure; any thread.
 *
 * All return 0, or -EINVAL and leave *ret alone; too large for the type counts
 * as wrong too. */
#ifndef FS_VALUES_H
#define FS_VALUES_H

#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"

/* "500ms" "5s" "10m" "12h" "7d" "2w", a fraction is allowed ("1.5h"); without a
 * unit: seconds. */
int value_duration_ms(const char *text, int64_t *ret);

/* "4096" "64K" "10M" "1.5G" "2T" "1P": powers of 1024; "KiB", "KB" mean K too. */
int value_size(const char *text, int64_t *ret);

/* "20%": 1 to 100. */
int value_percent(const char *text, int *ret);

int value_number(const char *text, int64_t min, int64_t max, int64_t *ret);
int value_octal(const char *text, mode_t *ret);		/* at most 0777 */

/* Names or numbers, as chown(1) takes them. -ENOENT: nobody is called so. */
int value_user(const char *text, uid_t *ret);
int value_group(const char *text, gid_t *ret);

/* The shortest exact form, which the parsers above read back. */
void value_print_duration(struct buf *to, int64_t ms);
void value_print_size(struct buf *to, int64_t bytes);

#endif
