#include <jni.h>

/* Stands in for the one function that the app's classes (1.29) call while they load and that the
   source at hand (1.21) does not have yet. 0 says that nothing can be compiled ahead; the app never
   asks for it. */
JNIEXPORT jlong JNICALL Java_ai_onnxruntime_OnnxRuntime_initialiseCompileAPIBase(
    JNIEnv* environment, jclass type, jlong api) {
  (void)environment;
  (void)type;
  (void)api;
  return 0;
}
