/* tests/unit/base/hash_test.c - hashes are stored, so every value here is pinned: a change of any of them is a new
 * layout. */
#include "assert_near.h"

#include "base/hash.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct pinned {
    size_t size;
    uint64_t seed, hash;
} pinned;

/* Bytes i * 7 + 1. */
static const pinned pinned_hashes[] = {
    {0, 0, 0xcd3efac3c0473911u},   {0, 1, 0xc1f362ac7c5d46ffu},   {1, 0, 0xdd0d09f9cd9a25c1u},
    {1, 1, 0x5933c46a08b85338u},   {2, 0, 0xcdd1094766c2c947u},   {2, 1, 0x7dff5a095407bf7du},
    {3, 0, 0xa6cd8dc8cb71c40bu},   {3, 1, 0x7223848ca036685du},   {4, 0, 0x0645282638db4145u},
    {4, 1, 0xa959bbb3c89b1143u},   {5, 0, 0xbfee2959ce6db87bu},   {5, 1, 0xf7c180d340bbf0c4u},
    {7, 0, 0x898dce07384f78cau},   {7, 1, 0x620e3754526c69e4u},   {8, 0, 0x294039d2734ab296u},
    {8, 1, 0x3680c1acd624a175u},   {9, 0, 0xc0cb52bd5d2f0e9eu},   {9, 1, 0x63d7c887b831d466u},
    {12, 0, 0x0f3e1ad031c9cdb4u},  {12, 1, 0xb5828987a7c6de17u},  {15, 0, 0x4f3fa93fda6916e0u},
    {15, 1, 0xea98ceef4cfef41cu},  {16, 0, 0x27b4ae7fd83685dbu},  {16, 1, 0x2e4d3a0e2d7e7219u},
    {17, 0, 0x42d9b48c7fc78827u},  {17, 1, 0xd3ca224f5526982cu},  {24, 0, 0xf9fb8b8ef29f268fu},
    {24, 1, 0x752d7cf14fbcb447u},  {31, 0, 0xbca9e52ca4b37289u},  {31, 1, 0x67f3b17467029a82u},
    {32, 0, 0xd56cf6ceb413d3adu},  {32, 1, 0x9f49c43bd542fe2du},  {33, 0, 0xe8a76d1c6843645du},
    {33, 1, 0xa00e6a0377c81d4du},  {47, 0, 0x478e42b848966cd5u},  {47, 1, 0xab611010c55a2ad5u},
    {48, 0, 0x40b1e101a68dc002u},  {48, 1, 0xbbf3c817d1b1afcbu},  {49, 0, 0x2322129a22902e15u},
    {49, 1, 0x72233f01a70f78ddu},  {64, 0, 0xa2b882d92ae1ef1au},  {64, 1, 0x9e469e9390fd11beu},
    {65, 0, 0x9d50811bb66e7b2au},  {65, 1, 0x701c44c07e085c21u},  {100, 0, 0x92cbb8dd46e6c8bbu},
    {100, 1, 0x8003436d0bb909c4u}, {255, 0, 0x92f7155fc7c557c9u}, {255, 1, 0xf6104cca9e594293u},
};

static const struct {
    const char *key;
    unsigned partition;
} pinned_partitions[] = {
    {"EURUSD", 26}, {"BAC", 31}, {"ES", 38}, {"AAPL", 6}, {"BTC-USD", 16}, {"SIM001", 45}, {"A", 39}, {"", 57},
};

/* Key 00 01 .. 0f, input 00 01 .. of growing size: the reference's vectors, here as OpenSSL's SIPHASH prints them. */
static const char *const siphash_vectors[64] = {
    "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45", "8177228da4a45dc7fca38bdef60affe4",
    "9c70b60c5267a94e5f33b6b02985ed51", "f88164c12d9c8faf7d0f6e7c7bcd5579", "1368875980776f8854527a07690e9627",
    "14eeca338b208613485ea0308fd7a15e", "a1f1ebbed8dbc153c0b84aa61ff08239", "3b62a9ba6258f5610f83e264f31497b4",
    "264499060ad9baabc47f8b02bb6d71ed", "00110dc378146956c95447d3f3d0fbba", "0151c568386b6677a2b4dc6f81e5dc18",
    "d626b266905ef35882634df68532c125", "9869e247e9c08b10d029934fc4b952f7", "31fcefac66d7de9c7ec7485fe4494902",
    "5493e99933b0a8117e08ec0f97cfc3d9", "6ee2a4ca67b054bbfd3315bf85230577", "473d06e8738db89854c066c47ae47740",
    "a426e5e423bf4885294da481feaef723", "78017731cf65fab074d5208952512eb1", "9e25fc833f2290733e9344a5e83839eb",
    "568e495abe525a218a2214cd3e071d12", "4a29b54552d16b9a469c10528eff0aae", "c9d184ddd5a9f5e0cf8ce29a9abf691c",
    "2db479ae78bd50d8882a8a178a6132ad", "8ece5f042d5e447b5051b9eacb8d8f6f", "9c0b53b4b3c307e87eaee08678141f66",
    "abf248af69a6eae4bfd3eb2f129eeb94", "0664da1668574b88b935f3027358aef4", "aa4b9dc4bf337de90cd4fd3c467c6ab7",
    "ea5c7f471faf6bde2b1ad7d4686d2287", "2939b0183223fafc1723de4f52c43d35", "7c3956ca5eeafc3e363e9d556546eb68",
    "77c6077146f01c32b6b69d5f4ea9ffcf", "37a6986cb8847edf0925f0f1309b54de", "a705f0e69da9a8f907241a2e923c8cc8",
    "3dc47d1f29c448461e9e76ed904f6711", "0d62bf01e6fc0e1a0d3c4751c5d3692b", "8c03468bca7c669ee4fd5e084bbee7b5",
    "528a5bb93baf2c9c4473cce5d0d22bd9", "df6a301e95c95dad97ae0cc8c6913bd8", "801189902c857f39e73591285e70b6db",
    "e617346ac9c231bb3650ae34ccca0c5b", "27d93437efb721aa401821dcec5adf89", "89237d9ded9c5e78d8b1c9b166cc7342",
    "4a6d8091bf5e7d651189fa94a250b14c", "0e33f96055e7ae893ffc0e3dcf492902", "e61c432b720b19d18ec8d84bdc63151b",
    "f7e5aef549f782cf379055a608269b16", "438d030fd0b7a54fa837f2ad201a6403", "a590d3ee4fbf04e3247e0d27f286423f",
    "5fe2c1a172fe93c4b15cd37caef9f538", "2c97325cbd06b36eb2133dd08b3a017c", "92c814227a6bca949ff0659f002ad39e",
    "dce850110bd8328cfbd50841d6911d87", "67f14984c7da791248e32bb5922583da", "1938f2cf72d54ee97e94166fa91d2a36",
    "74481e9646ed49fe0f6224301604698e", "57fca5de98a9d6d8006438d0583d8a1d", "9fecde1cefdc1cbed4763674d9575359",
    "e3040c00eb28f15366ca73cbd872e740", "7697009a6a831dfecca91c5993670f7a", "5853542321f567a005d547a4f04759bd",
    "5150d1772f50834a503e069a973fbd7c",
};

static void hash64_gives_the_stored_values(void **unused)
{
    (void)unused;
    unsigned char data[256];
    for (int i = 0; i < 256; i++)
        data[i] = (unsigned char)(i * 7 + 1);
    for (size_t i = 0; i < sizeof(pinned_hashes) / sizeof(pinned_hashes[0]); i++)
        assert_true(fm_hash64(data, pinned_hashes[i].size, pinned_hashes[i].seed) == pinned_hashes[i].hash);
}

static void hash64_does_not_depend_on_alignment(void **unused)
{
    (void)unused;
    unsigned char data[256 + 8];
    for (size_t size = 0; size <= 200; size += 7) {
        uint64_t first = 0;
        for (size_t shift = 0; shift < 8; shift++) {
            for (size_t i = 0; i < size; i++)
                data[shift + i] = (unsigned char)(i * 31);
            uint64_t hash = fm_hash64(data + shift, size, 5);
            first = shift == 0 ? hash : first;
            assert_true(hash == first);
        }
    }
}

static void hash64_flips_half_of_its_bits_for_any_bit_of_the_input(void **unused)
{
    (void)unused;
    /* one byte alone has too few inputs to count over */
    static const size_t sizes[] = {2, 3, 4, 7, 8, 12, 16, 17, 24, 32, 33, 64};
    enum { ROUNDS = 600 };
    fm_random random;
    fm_random_seed(&random, 7);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (size_t bit = 0; bit < sizes[s] * 8; bit++) {
            unsigned flips[64] = {0};
            for (int round = 0; round < ROUNDS; round++) {
                unsigned char data[64];
                for (size_t i = 0; i < sizes[s]; i++)
                    data[i] = (unsigned char)fm_random_next(&random);
                uint64_t before = fm_hash64(data, sizes[s], 0);
                data[bit / 8] ^= (unsigned char)(1u << bit % 8);
                uint64_t changed = before ^ fm_hash64(data, sizes[s], 0);
                for (int out = 0; out < 64; out++)
                    flips[out] += changed >> out & 1;
            }
            /* 300 of 600 with a deviation of 12.2: six deviations over about 130,000 tries of a fair coin */
            for (int out = 0; out < 64; out++) {
                if (flips[out] < 300 - 74 || flips[out] > 300 + 74)
                    fail_msg("size %zu, bit %zu: output bit %d flips %u times of %d", sizes[s], bit, out, flips[out],
                             ROUNDS);
            }
        }
    }
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void hash64_has_no_collision_among_many_alike_symbols(void **unused)
{
    (void)unused;
    enum { COUNT = 1 << 18 };
    uint64_t *hashes = malloc(COUNT * sizeof(*hashes));
    assert_non_null(hashes);
    for (int i = 0; i < COUNT; i++) {
        char symbol[32];
        int size = snprintf(symbol, sizeof(symbol), "SIM%0*d", 2 + i % 9, i);
        hashes[i] = fm_hash64(symbol, (size_t)size, 0);
        assert_true(hashes[i] != 0);
    }
    qsort(hashes, COUNT, sizeof(*hashes), compare_hashes);
    for (int i = 1; i < COUNT; i++)
        assert_true(hashes[i] != hashes[i - 1]);
    free(hashes);
}

static void partitions_are_the_stored_ones_and_even(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(pinned_partitions) / sizeof(pinned_partitions[0]); i++)
        assert_int_equal(fm_partition_of(fm_slice_of(pinned_partitions[i].key)), pinned_partitions[i].partition);

    char text[64];
    for (size_t size = 0; size <= sizeof(text); size++) {
        fm_slice key = {text, size};
        uint32_t together;
        memset(text, 'A' + (int)size % 26, sizeof(text));
        assert_true(fm_hash_key(key, &together) == fm_hash_slice(key));
        assert_int_equal(together, fm_partition_of(key));
    }

    enum { KEYS = 64000 };
    unsigned count[64] = {0};
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof(key), "S%d", i);
        uint32_t partition = fm_partition_of(fm_slice_of(key));
        assert_true(partition < 64);
        count[partition]++;
    }
    double chi_square = 0;
    for (int i = 0; i < 64; i++)
        chi_square += (count[i] - 1000.0) * (count[i] - 1000.0) / 1000.0;
    assert_true(chi_square < 120.0); /* 63 degrees of freedom: above with probability 2e-5 */
}

static void hash128_gives_the_published_vectors_of_siphash(void **unused)
{
    (void)unused;
    unsigned char data[64];
    for (int i = 0; i < 64; i++) {
        data[i] = (unsigned char)i;
        fm_hash128 hash = fm_hash128_of(data, (size_t)i);
        char bytes[33];
        for (int k = 0; k < 16; k++)
            snprintf(bytes + 2 * k, 3, "%02x",
                     (unsigned)((k < 8 ? hash.low >> (8 * k) : hash.high >> (8 * (k - 8))) & 255));
        assert_string_equal(bytes, siphash_vectors[i]);
    }
}

static void hash128_hex_prints_the_high_half_first(void **unused)
{
    (void)unused;
    char out[33];
    fm_hash128_hex((fm_hash128){.low = 0x0123456789abcdefu, .high = 0xfedcba9876543210u}, out);
    assert_string_equal(out, "fedcba98765432100123456789abcdef");
    fm_hash128_hex((fm_hash128){.low = 1, .high = 0}, out);
    assert_string_equal(out, "00000000000000000000000000000001");
}

static void crc32c_gives_the_vectors_of_rfc_3720(void **unused)
{
    (void)unused;
    unsigned char data[48];
    assert_int_equal(fm_crc32c(0, "", 0), 0);
    assert_int_equal(fm_crc32c(0, "123456789", 9), 0xe3069283u);
    memset(data, 0, 32);
    assert_int_equal(fm_crc32c(0, data, 32), 0x8a9136aau);
    memset(data, 0xff, 32);
    assert_int_equal(fm_crc32c(0, data, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        data[i] = (unsigned char)i;
    assert_int_equal(fm_crc32c(0, data, 32), 0x46dd794eu);
    for (int i = 0; i < 32; i++)
        data[i] = (unsigned char)(31 - i);
    assert_int_equal(fm_crc32c(0, data, 32), 0x113fdb5cu);
    static const unsigned char read_pdu[48] = {0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
                                               0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                               0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    assert_int_equal(fm_crc32c(0, read_pdu, 48), 0xd9963a56u);
}

/* Bit by bit, from the definition. */
static uint32_t crc_by_definition(const unsigned char *p, size_t size)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void crc32c_is_the_same_by_instruction_by_table_and_by_definition(void **unused)
{
    (void)unused;
    enum { SIZE = 1 << 14 };
    static unsigned char data[SIZE];
    fm_random random;
    fm_random_seed(&random, 3);
    for (int i = 0; i < SIZE; i++)
        data[i] = (unsigned char)fm_random_next(&random);
    for (int round = 0; round < 400; round++) {
        size_t size = fm_random_below(&random, round < 200 ? 64 : SIZE - 8), at = fm_random_below(&random, 8);
        uint32_t expected = crc_by_definition(data + at, size);
        assert_int_equal(fm_crc32c(0, data + at, size), expected);
        assert_int_equal(fm_crc32c_portable(0, data + at, size), expected);
    }
}

static void crc32c_goes_on_from_an_earlier_part(void **unused)
{
    (void)unused;
    static unsigned char data[5000];
    for (int i = 0; i < 5000; i++)
        data[i] = (unsigned char)(i * i >> 3);
    uint32_t whole = fm_crc32c(0, data, sizeof(data));
    for (size_t cut = 0; cut <= sizeof(data); cut += 311)
        assert_int_equal(fm_crc32c(fm_crc32c(0, data, cut), data + cut, sizeof(data) - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash64_gives_the_stored_values),
        cmocka_unit_test(hash64_does_not_depend_on_alignment),
        cmocka_unit_test(hash64_flips_half_of_its_bits_for_any_bit_of_the_input),
        cmocka_unit_test(hash64_has_no_collision_among_many_alike_symbols),
        cmocka_unit_test(partitions_are_the_stored_ones_and_even),
        cmocka_unit_test(hash128_gives_the_published_vectors_of_siphash),
        cmocka_unit_test(hash128_hex_prints_the_high_half_first),
        cmocka_unit_test(crc32c_gives_the_vectors_of_rfc_3720),
        cmocka_unit_test(crc32c_is_the_same_by_instruction_by_table_and_by_definition),
        cmocka_unit_test(crc32c_goes_on_from_an_earlier_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
