import type { CatalogueEntry } from '../../contract/hub'

/** Backbones of the paper and of those who follow it. Parameters are the trunk's, without a head; licence and size are the hub's to tell. */
export const catalogue: readonly CatalogueEntry[] = [
  { id: 'timm/vit_base_patch16_224.augreg_in21k', title: 'ViT-B/16, ImageNet-21k', about: 'The backbone of the paper’s image experiments', parameters: 85_798_656, supported: true },
  { id: 'timm/vit_large_patch16_224.augreg_in21k', title: 'ViT-L/16, ImageNet-21k', about: 'Its larger sibling', parameters: 303_301_632, supported: true },
  { id: 'timm/vit_small_patch16_224.augreg_in21k', title: 'ViT-S/16, ImageNet-21k', about: 'Its smaller sibling', parameters: 21_665_664, supported: true },
  { id: 'timm/vit_tiny_patch16_224.augreg_in21k', title: 'ViT-Ti/16, ImageNet-21k', about: 'For a first try on a CPU', parameters: 5_524_416, supported: true },
  { id: 'google/vit-base-patch16-224-in21k', title: 'ViT-B/16 of transformers', about: 'The same size in the format of transformers', parameters: 85_798_656, supported: true },
  { id: 'facebook/dinov2-small', title: 'DINOv2-S/14', about: 'Self-supervised; strong features from few images', parameters: 22_056_192, supported: true },
  { id: 'facebook/dinov2-base', title: 'DINOv2-B/14', about: 'Self-supervised', parameters: 86_579_712, supported: true },
  { id: 'facebook/dinov2-large', title: 'DINOv2-L/14', about: 'Self-supervised', parameters: 304_367_616, supported: true },
  { id: 'timm/deit_small_patch16_224.fb_in1k', title: 'DeiT-S/16, ImageNet-1k', about: 'Trained on ImageNet-1k alone', parameters: 21_665_664, supported: true },
  { id: 'timm/deit_base_patch16_224.fb_in1k', title: 'DeiT-B/16, ImageNet-1k', about: 'Trained on ImageNet-1k alone', parameters: 85_798_656, supported: true },
  { id: 'timm/swin_base_patch4_window7_224.ms_in22k', title: 'Swin-B, ImageNet-22k', about: 'In the paper’s tables', parameters: 86_743_224, supported: false },
  { id: 'timm/convnext_base.fb_in22k', title: 'ConvNeXt-B, ImageNet-22k', about: 'In the paper’s tables', parameters: 87_566_464, supported: false },
]
