// The versions of the libraries as they are loaded now, which is what a bug report needs.
#include "cli/version.h"

#include <stdio.h>

#include <lmdb.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <uv.h>
#ifdef HAVE_CURL
#include <curl/curl.h>
#endif
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#ifdef HAVE_WSLAY
#include <wslay/wslay.h>
#endif

#include "cli/commands.h"
#include "server/assets.h"

int version_print(void) {
    printf("freshet %s\n", FRESHET_VERSION);
    printf("libuv %s\n", uv_version_string());
    printf("LMDB %s\n", mdb_version(NULL, NULL, NULL));
    printf("OpenSSL %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
    printf("nghttp2 %s\n", nghttp2_version(0)->version_str);
#ifdef HAVE_CURL
    printf("libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
#else
    printf("no client: built without libcurl\n");
#endif
#ifdef HAVE_ZLIB
    printf("zlib %s\n", zlibVersion());
#else
    printf("no compression: built without zlib\n");
#endif
#ifdef HAVE_WSLAY
    printf("wslay %s\n", WSLAY_VERSION);
#else
    printf("no WebSocket: built without wslay\n");
#endif
    puts(assets_count ? "console" : "no console: built without Node, npm or the network");
    return fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}
