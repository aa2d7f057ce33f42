/*
 * What an image's root says: known at once, however large the image.
 */
#ifndef MEMFS_TOOLS_SUMMARY_H
#define MEMFS_TOOLS_SUMMARY_H

#include "memfs_image.h"
#include "output/json.h"

/* As text; as members of an object. name is the image's. */
void summary_print(const char *name, const struct memfs_image_info *info);
void summary_json(const char *name, const struct memfs_image_info *info, struct json *json);

#endif
