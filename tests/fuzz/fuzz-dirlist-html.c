/* A listing: whatever it says, names are single segments, as a key has them, in order and
 * each once. */
#include "fuzz-dirlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return dirlist_fuzz(data, len, read_html);
}
