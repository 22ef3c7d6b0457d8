/* kernels/kernel.c - the table of all kernels, and what can be asked about a descriptor. */
#include "kernels/kernel.h"

#include "base/error.h"

#define KERNEL(name) extern const fm_kernel fm_kernel_##name;
#include "kernels/kernels.def"
#undef KERNEL

const fm_kernel *const fm_kernels[] = {
#define KERNEL(name) &fm_kernel_##name,
#include "kernels/kernels.def"
#undef KERNEL
    NULL,
};

/* Without strcmp, whose implementation depends on the CPU and which the purity of this archive excludes. */
static int same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const fm_kernel *fm_kernel_find(fm_kernel_kind kind, const char *name)
{
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++)
        if ((*kernel)->kind == kind && same((*kernel)->name, name))
            return *kernel;
    return NULL;
}

int fm_kernel_field_index(const fm_field *fields, const char *name)
{
    for (int i = 0; fields[i].name != NULL; i++)
        if (same(fields[i].name, name))
            return i;
    return -1;
}

int fm_kernel_field_count(const fm_field *fields)
{
    int count = 0;
    while (fields[count].name != NULL)
        count++;
    return count;
}

int fm_kernel_check(const fm_field *fields, const double *params)
{
    for (int i = 0; fields[i].name != NULL; i++)
        if (!(params[i] >= fields[i].low && params[i] <= fields[i].high)) /* NaN too */
            return FM_EINVAL;
    return 0;
}
