# shellcheck shell=bash disable=SC2016
# The planted defects: read by defects.sh. Each is
#
#   defect NUMBER KIND FILE SUITES WHAT OLD NEW
#
# KIND      decoder, writer or unpacker: what the defect is in
# SUITES    which are to see it, the quickest first: names of tests/run.sh, or e2e/SCRIPT, hostile/CASE, faults/SCENARIO
# WHAT      is wrong then
# OLD, NEW  the text that is taken out, which stands in the file once, and what comes in its place
#
# `second NUMBER REASON` explains one that no test is to see.

# ---- The decoder: bytes ----------------------------------------------------------

defect 1 decoder format/cursor.c "test_cursor" \
    "a cursor does not ask whether the bytes are there" \
    'cursor->broken || length > cursor->length - cursor->at' \
    'cursor->broken'
defect 2 decoder format/cursor.c "test_cursor" \
    "a cursor gives one byte too many" \
    'length > cursor->length - cursor->at' \
    'length > cursor->length - cursor->at + 1'
defect 3 decoder format/cursor.c "test_cursor" \
    "reserved bytes may be anything" \
    'cursor->nonzero |= bytes[i] != 0;' \
    'cursor->nonzero |= 0;'
defect 4 decoder format/codec.c "test_codec" \
    "a frame's window has no limit" \
    'header.windowSize > MEMFS_WINDOW_MAX' \
    '0'
defect 5 decoder format/codec.c "test_codec" \
    "bytes behind a frame are not seen" \
    'ZSTD_findFrameCompressedSize(stored, stored_length) != stored_length' \
    'ZSTD_isError(ZSTD_findFrameCompressedSize(stored, stored_length))'
defect 6 decoder format/codec.c "test_codec" \
    "a raw block may be longer than what is stored" \
    'if (stored_length != raw_length) {' \
    'if (stored_length > raw_length) {'
defect 7 decoder format/columns.c "test_columns" \
    "a value may be larger than its column allows" \
    'if (values.of[i] > column->most)' \
    'if (values.of[i] > column->most && column->most == 1)'
defect 8 decoder format/columns.c "test_columns" \
    "bytes may be left over behind the records" \
    'if (!*reason && !memfs_cursor_complete(&in))' \
    'if (!*reason && in.broken)'

# ---- The decoder: header, trailer, root ---------------------------------------------

defect 9 decoder format/root.c "hostile/block-size-three-parts" \
    "a block size need not be a power of two" \
    '(header.block_size & (header.block_size - 1)) != 0)' \
    'header.block_size == 0)'
defect 10 decoder format/root.c "test_open" \
    "the trailer's checksum is not compared" \
    'if (memfs_hash(bytes, in.at) != memfs_cursor_u64(&in))' \
    'if (memfs_hash(bytes, in.at) != memfs_cursor_u64(&in) && in.broken)'
defect 11 decoder format/root.c "hostile/trailer-says-later" \
    "a trailer may say that it stands further on" \
    'if (trailer->offset != at)' \
    'if (trailer->offset < at)'
defect 12 decoder format/root.c "hostile/previous-in-the-root" \
    "the generation before may end behind the root's beginning" \
    'trailer->previous > trailer->root_offset - MEMFS_TRAILER_BYTES' \
    'trailer->previous > trailer->root_offset + MEMFS_TRAILER_BYTES'
defect 13 decoder format/root.c "hostile/list-names-one-twice" \
    "two generations may have one trailer" \
    'generation->trailer >= before' \
    'generation->trailer > before'
defect 14 decoder format/root.c "hostile/message-where-none-is test_open" \
    "a message may contain NUL" \
    'if (memchr(message, 0, root->message_length))' \
    'if (root->message_length && !message[0])'
defect 15 decoder format/root.c "hostile/digests-fewer" \
    "there may be fewer digests than nodes" \
    'root->table[MEMFS_DIGESTS].count != nodes' \
    'root->table[MEMFS_DIGESTS].count > nodes'

# ---- The decoder: from refs to blocks -----------------------------------------------

defect 16 decoder format/load.c "test_damage" \
    "what is read is not compared with its checksum" \
    'if (hash != ref->hash)' \
    'if (hash != ref->hash && ref->stored == 0)'
defect 17 decoder format/load.c "test_freeze test_open" \
    "a table's last ref is measured as the others are" \
    'if (i == 0 || i + 1 == *got)' \
    'if (i == 0)'
defect 18 decoder format/load.c "hostile/extent-past-the-block" \
    "one byte behind a block can be read" \
    'if (error || (*out)->buffer->length >= start + length)' \
    'if (error || (*out)->buffer->length + 1 >= start + length)'
defect 19 decoder format/load.c "test_bombs" \
    "the budget of decoded bytes only counts what was before" \
    'while (before <= end && bytes <= end - before)' \
    'while (before <= end)'
defect 20 decoder format/load.c "hostile/entries-longer test_verify" \
    "a chunk that is no good is not given back" \
    'if (error) {
        memfs_buffer_free(buffer);
        return error;' \
    'if (error) {
        return error;'

# ---- The decoder: records -------------------------------------------------------------

defect 21 decoder libmemfs/check.c "test_check" \
    "names may be . and .. and contain slashes" \
    'if (!memfs_name_ok(name, entry->length))' \
    'if (!entry->length)'
defect 22 decoder libmemfs/check.c "test_check" \
    "an entry may name the node behind the last" \
    'entry->node >= backing->count[MEMFS_NODES]' \
    'entry->node > backing->count[MEMFS_NODES]'
defect 23 decoder libmemfs/check.c "test_check" \
    "an extent may run past the largest file" \
    'extent->offset > (uint64_t)MEMFS_SIZE_MAX - extent->length' \
    'extent->offset > (uint64_t)MEMFS_SIZE_MAX'
defect 24 decoder libmemfs/check.c "test_check" \
    "the last set of attributes need not end" \
    'check->number + 1 == check->backing->count[MEMFS_XATTRS] && !xattr->last' \
    'check->number == check->backing->count[MEMFS_XATTRS] && !xattr->last'
defect 25 decoder libmemfs/dir.c "test_tangle" \
    "a directory may be entered from one that is not its parent" \
    '(*node)->up.parent != dir ||' \
    ''

# ---- The decoder: verifying -----------------------------------------------------------

defect 26 decoder format/verify_tree.c "test_verify" \
    "a link count may be too small" \
    'if (links != nlink)' \
    'if (links < nlink)'
defect 27 decoder format/verify_tree.c "hostile/run-of-the-root" \
    "two directories may have the same entries" \
    'if (memfs_bit(t->owned, first))' \
    'if (memfs_bit(t->owned, first) && count == 0)'
defect 28 decoder format/verify_tree.c "test_verify" \
    "a directory may be below itself" \
    'const int loop = !memfs_bit(t->rooted, n);' \
    'const int loop = 0;'
defect 29 decoder format/verify_contents.c "test_verify" \
    "extents may overlap by one byte" \
    'if (extent->offset < end)' \
    'if (extent->offset + 1 < end)'
defect 30 decoder format/verify_contents.c "test_verify" \
    "an extent may run past its block" \
    '(extent->start > raw || extent->length > raw - extent->start)' \
    '(extent->start > raw)'
defect 31 decoder format/verify_digests.c "test_verify" \
    "the digest of a file with a twin is not compared" \
    'if (digest == expected)' \
    'if (digest == expected || twin)'
defect 32 decoder format/verify_heap.c "test_verify" \
    "bytes that nothing names may be anything" \
    'if (bytes[i] != 0)' \
    'if (bytes[i] > 127)'
defect 33 decoder format/verify_xattrs.c "test_verify" \
    "the target of a link may contain NUL" \
    'if (memchr(target, 0, (size_t)node->size))' \
    'if (node->size == 0)'

# ---- The writer -------------------------------------------------------------------------

defect 34 writer format/freeze.c "test_freeze" \
    "a change during the freeze is not asked about at its end" \
    'error = memfs_freezing_unchanged(job);
    return error ? error : freeze_root(stages);' \
    'error = 0;
    return error ? error : freeze_root(stages);'
defect 35 writer format/freeze.c "test_freeze" \
    "a message may be one byte too long" \
    'strlen(options->message) > MEMFS_MESSAGE_MAX)' \
    'strlen(options->message) > MEMFS_MESSAGE_MAX + 1)'
defect 36 writer format/attributes.c "test_freeze test_alloc_fail" \
    "that an attribute's name could not be stored is ignored" \
    'error = take_string(attributes, walk->name, walk->name_length, &xattr->name);' \
    'take_string(attributes, walk->name, walk->name_length, &xattr->name);'
defect 37 writer format/blocks.c "test_freeze test_alloc_fail" \
    "that a block could not be pressed is ignored" \
    'if (press->error)
        return press->error;' \
    ''
defect 38 writer format/blocks.c "test_freeze" \
    "the buffers of blocks are not given back" \
    'memfs_free(allocator, blocks->presses[i].scratch, blocks->scratch_bytes);' \
    ''
defect 39 writer format/emit.c "test_freeze" \
    "a device's minor number is cut to eight bits" \
    'record->rdev.minor = stat.rdev_minor;' \
    'record->rdev.minor = (uint8_t)stat.rdev_minor;'
defect 40 writer format/share.c "test_freeze" \
    "files of equal digests are equal whatever follows the last extent" \
    'return memfs_all_zero(content + at, (size_t)(size - at)) ? EQUAL : DIFFERENT;' \
    'return EQUAL;'
second 40 "it is a second belt: only files of equal digests, of 64 bits, are compared, and none that differ are known"
defect 41 writer format/publish.c "faults/power-pack" \
    "the temporary file is not synced" \
    'else if (sync_fd(publication->fd) != 0)' \
    'else if (publication->fd < 0)'
defect 42 writer format/publish.c "faults/power-pack" \
    "the directory is not synced" \
    '!publication->unreadable && sync_fd(publication->directory) != 0 && errno != EINVAL' \
    'publication->directory < 0'
defect 43 writer format/publish.c "faults/pack" \
    "that the temporary file could not be closed is ignored" \
    'if (!error && closed != 0 && errno != EINTR)' \
    'if (!error && closed != 0 && errno == EINTR)'
defect 44 writer format/publish.c "test_freeze faults/pack" \
    "the temporary file stays after a failure" \
    'if (publication.temporary && publication.temporary[0])' \
    'if (publication.temporary && !publication.temporary[0])'
defect 45 writer libmemfs/host_scan_files.c "test_host_scan" \
    "a file that changes while it is read is not noticed" \
    'error = is_unchanged(files, file, fd);
    close(fd);' \
    'error = 0;
    close(fd);'
defect 46 writer libmemfs/host_scan_files.c "test_host_scan enemies" \
    "opening what has become a FIFO waits for a writer" \
    'O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY' \
    'O_RDONLY | O_NOFOLLOW | O_NOCTTY'

# ---- The unpacker -----------------------------------------------------------------------

defect 47 unpacker libmemfs/host_export_file.c "test_host_export_into test_host_export" \
    "what is there already is opened and written over" \
    'O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW' \
    'O_WRONLY | O_CREAT | O_NOFOLLOW'
defect 48 unpacker libmemfs/host_export_file.c "test_host_export" \
    "attributes follow a symbolic link" \
    'O_PATH | O_NOFOLLOW | O_CLOEXEC' \
    'O_PATH | O_CLOEXEC'
defect 49 unpacker libmemfs/host_export_target.c "test_host_export" \
    "the destination may be a symbolic link" \
    'openat(job->above, job->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)' \
    'openat(job->above, job->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)'
defect 50 unpacker libmemfs/host_export_attributes.c "test_host_export" \
    "times before 1970 are rounded the wrong way" \
    'stat->mtime / SECOND - (stat->mtime % SECOND < 0)' \
    'stat->mtime / SECOND'
defect 51 unpacker libmemfs/xattr.c "test_host_export_run" \
    "attributes of security are set without being asked for" \
    'xattr_begins_with(name, length, "security.") ||' \
    ''
defect 52 unpacker libmemfs/host_export_attributes.c "test_host_export" \
    "setuid and setgid are set without being asked for" \
    'return job->options.setuid ? mode : mode & 01777;' \
    'return mode;'
defect 53 unpacker libmemfs/host_export_make.c "test_host_export enemies" \
    "a hard link may be to what was put in the first name's place" \
    '&& memfs_export_is_made(job, &stat, link->ino))' \
    '&& link->ino)'
defect 54 unpacker libmemfs/host_export_make.c "test_host_export enemies" \
    "a directory with something in it passes for one that was just made" \
    'return any > 0 ? -ESTALE : any;' \
    'return any > 0 ? 0 : any;'
defect 55 unpacker libmemfs/host_export_plan.c "test_host_export_run" \
    "the budget of bytes ends one byte early" \
    'add(job->bytes, job->xattr_bytes) > job->options.bytes_max' \
    'add(job->bytes, job->xattr_bytes) >= job->options.bytes_max'
defect 56 unpacker libmemfs/host_export_plan.c "test_host_export" \
    "a file may have one name more than its link count says" \
    'link->seen >= link->nlink' \
    'link->seen > link->nlink'
defect 57 unpacker libmemfs/host_export_undo.c "test_host_export_into test_host_export" \
    "undoing removes what is not ours" \
    '!is_ours(emptying->job, &stat) ||' \
    ''
defect 58 unpacker libmemfs/host_export.c "test_host_export enemies" \
    "a directory is entered without asking which it is" \
    'stat->st_dev == job->dev && (uint64_t)stat->st_ino == dir->ino ? 0 : -ESTALE' \
    'stat->st_dev == job->dev && dir->ino ? 0 : -ESTALE'
defect 59 unpacker libmemfs/host_export.c "faults/power-unpack" \
    "what was unpacked is not brought to the disk" \
    'if (job->options.sync)
        MEMFS_RETRY(failed, syncfs(job->workers[0].trail.root));' \
    ''
defect 60 unpacker libmemfs/host_export_file.c "test_host_export" \
    "that a file could not be closed is ignored" \
    'if (close(fd) && !error && errno != EINTR) {' \
    'if (close(fd) && !error && errno == EINTR) {'

# ---- Found later ---------------------------------------------------------------------------

defect 61 decoder format/verify_window.c "test_verify" \
    "verifying keeps as many blocks as it likes" \
    'window->kept + bytes > MEMFS_KEPT_BYTES)' \
    'window->kept + bytes > 8 * MEMFS_KEPT_BYTES)'
defect 62 unpacker libmemfs/host_export_undo.c "e2e/disks" \
    "undoing removes files of another device that have the numbers of ours" \
    'if ((uint64_t)stat->st_dev != job->file_dev)' \
    'if (!stat)'
defect 63 unpacker libmemfs/host_trail.c "e2e/disks" \
    "what is mounted from the same filesystem is unpacked into" \
    'return open_directory(parent, name, RESOLVE_NO_XDEV);' \
    'return open_directory(parent, name, 0);'
defect 64 decoder libmemfs/extent.c "test_backing" \
    "what is read of a file depends on where a search among its extents begins" \
    'if (r == 0 && extent->offset < ends)' \
    'if (r == 0 && extent->offset < ends && !content)'
defect 65 decoder format/verify_digests.c "test_verify_changing" \
    "a chunk that is another when it is read again leads beyond its block" \
    'if (!is_as_checked(&d->block, extent))' \
    'if (!is_as_checked(&d->block, extent) && !extent)'
defect 66 decoder libmemfs/listing.c "test_tangle" \
    "a search goes through entries that directories share, without end" \
    'if (++met->entries > memfs_entries_most(met->fs) &&' \
    'if (++met->entries > memfs_entries_most(met->fs) && !met->fs &&'
defect 67 writer format/order.c "test_tangle" \
    "freezing goes through entries that directories share, without end" \
    'if (walk->listed <= memfs_entries_most(job->fs))' \
    'if (walk->listed)'
defect 68 unpacker libmemfs/host_export_attributes.c "test_host_export" \
    "a file without its ACL, or its owner, gives more than the image says" \
    'memfs_export_mode(worker->job, stat) & ~made->withheld' \
    'memfs_export_mode(worker->job, stat)'
