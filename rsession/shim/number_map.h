/* A hash table from 64-bit keys to numbers. */
#ifndef RSESSION_NUMBER_MAP_H
#define RSESSION_NUMBER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define NO_NUMBER UINT32_MAX

struct number_map {
    uint64_t *keys;
    uint32_t *numbers; /* + 1; 0: free */
    size_t room, used;
};

static inline void number_map_free(struct number_map *map)
{
    free(map->keys);
    free(map->numbers);
    *map = (struct number_map){0};
}

static inline size_t number_map_place(const struct number_map *map, uint64_t key)
{
    size_t at = (key * 0x9e3779b97f4a7c15u >> 20) & (map->room - 1);
    while (map->numbers[at] != 0 && map->keys[at] != key) {
        at = (at + 1) & (map->room - 1);
    }
    return at;
}

static inline uint32_t number_map_get(const struct number_map *map, uint64_t key)
{
    return map->room == 0 ? NO_NUMBER : map->numbers[number_map_place(map, key)] - 1;
}

/* False when memory is short. */
static inline bool number_map_set(struct number_map *map, uint64_t key, uint32_t number)
{
    if (map->used * 2 >= map->room) {
        struct number_map bigger = {.room = map->room ? map->room * 2 : 256};
        bigger.keys = calloc(bigger.room, sizeof *bigger.keys);
        bigger.numbers = calloc(bigger.room, sizeof *bigger.numbers);
        if (bigger.keys == NULL || bigger.numbers == NULL) {
            number_map_free(&bigger);
            return false;
        }
        for (size_t i = 0; i < map->room; i++) {
            if (map->numbers[i] != 0) {
                number_map_set(&bigger, map->keys[i], map->numbers[i] - 1);
            }
        }
        number_map_free(map);
        *map = bigger;
    }
    size_t at = number_map_place(map, key);
    map->used += map->numbers[at] == 0;
    map->keys[at] = key;
    map->numbers[at] = number + 1;
    return true;
}

#endif
