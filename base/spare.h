/* Blocks of a few hundred bytes that come and go hundreds of thousands of times a second: freed ones are kept
 * by their thread, up to a bound, and given out again before the allocator is asked. Threads: any; a block
 * may be given back by another thread than the one that took it. Under a sanitizer every block comes from the
 * allocator, so that a use after its end is seen. */
#ifndef PDR_BASE_SPARE_H
#define PDR_BASE_SPARE_H

#include "base/mem.h"

PDR_CHECKED void *pdr_spare_take(size_t size); /* NULL: out of memory */
void pdr_spare_give(void *block, size_t size); /* the size that it was taken with */

#endif
