"""``python -m android_demo.offline.drawing OUT``: drawings of the app's screens, as web pages.

Drawings, not screenshots: no Android runs here. They are made from the app's own layouts, styles,
shapes, colours and words; the picture and its logits come from the self-test that the app's
classes ran on a desktop's Java (:mod:`android_demo.offline.desktop`).
"""
