/* tool/digest.c - SHA-256 by OpenSSL, a mebibyte at a time. */
#include "tool/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK (1u << 20)

static int finish(EVP_MD_CTX *context, char hex[FM_DIGEST_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context, digest, &size) != 1 || size != 32)
        return FM_ENOMEM;
    for (unsigned i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int fm_digest_bytes(const void *data, size_t size, char hex[FM_DIGEST_HEX])
{
    int result = FM_ENOMEM;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(context, data, size) == 1)
        result = finish(context, hex);
    EVP_MD_CTX_free(context);
    return result;
}

int fm_digest_file(const char *path, char hex[FM_DIGEST_HEX], fm_error *error)
{
    int result = FM_ENOMEM;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *chunk = malloc(CHUNK);
    FILE *file = fopen(path, "rb");

    if (!file) {
        result = fm_fail_errno(error, FM_ENOTFOUND, "could not open \"%s\"", path);
        goto out;
    }
    if (!context || !chunk || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        fm_fail(error, result, "could not hash \"%s\": memory is full", path);
        goto out;
    }
    for (size_t got; (got = fread(chunk, 1, CHUNK, file)) > 0;)
        if (EVP_DigestUpdate(context, chunk, got) != 1)
            goto out;
    result = ferror(file) ? fm_fail_errno(error, FM_EIO, "could not read \"%s\"", path) : finish(context, hex);
out:
    if (file)
        fclose(file);
    free(chunk);
    EVP_MD_CTX_free(context);
    return result;
}
